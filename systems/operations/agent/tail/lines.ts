/** Lines of a file's bytes. Bytes are split, and whole lines decoded: a character that two reads share stays whole. */

/** A longer line is cut; the rest of it is skipped. In bytes. */
export const MAX_LINE_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const CUT_MARK = ' … (cut)';

export interface Line {
  /** Of its first byte in the file. */
  readonly offset: number;
  /** Of the byte after it, its line end included. */
  readonly end: number;
  readonly text: string;
}

/**
 * The lines in `bytes`, which begin at `offset` in their file. What follows the last line end is left for the next read,
 * unless `isLast`: nothing will follow. `skips`: the bytes begin within a line that was cut.
 */
export function linesOf(
  bytes: Buffer,
  offset: number,
  { isLast = false, skips = false }: { readonly isLast?: boolean; readonly skips?: boolean } = {},
): { readonly lines: Line[]; readonly end: number; readonly skips: boolean } {
  const lines: Line[] = [];
  let start = 0;
  let skipping = skips;
  const take = (end: number, after: number): void => {
    if (!skipping) lines.push({ offset: offset + start, end: offset + after, text: textOf(bytes, start, end) });
    skipping = false;
    start = after;
  };
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, start)) take(at, at + 1);
  const left = bytes.length - start;
  if (skipping && left > 0) start = bytes.length;
  else if (left > MAX_LINE_BYTES) {
    take(bytes.length, bytes.length);
    skipping = true;
  } else if (isLast && left > 0) {
    const end = start + wholeLength(bytes.subarray(start));
    take(end, end);
  }
  return { lines, end: offset + start, skips: skipping };
}

/** Without one CR at its end, and cut if it is too long. */
function textOf(bytes: Buffer, start: number, end: number): string {
  const last = end > start && bytes[end - 1] === CR ? end - 1 : end;
  if (last - start <= MAX_LINE_BYTES) return bytes.toString('utf8', start, last);
  return wholeCharacters(bytes, start, start + MAX_LINE_BYTES) + CUT_MARK;
}

/** The text up to `end`, without a character that goes beyond it. */
function wholeCharacters(bytes: Buffer, start: number, end: number): string {
  let last = end;
  // bytes of the form 10xxxxxx continue a character
  while (last > start && ((bytes[last] ?? 0) & 0xc0) === 0x80) last--;
  return bytes.toString('utf8', start, last);
}

/** Without a character whose last bytes are still to be written. Bytes that are no character at all count as whole. */
function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

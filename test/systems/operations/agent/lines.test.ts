import { describe, expect, test } from 'vitest';
import { linesOf, MAX_LINE_BYTES } from '../../../../systems/operations/agent/tail/lines.ts';

const textsOf = (lines: readonly { text: string }[]) => lines.map(({ text }) => text);

/** Reads a text in two pieces, as a file that grows. */
function inTwo(bytes: Buffer, split: number): string[] {
  const first = linesOf(bytes.subarray(0, split), 0);
  const second = linesOf(bytes.subarray(first.end), first.end, { isLast: true, skips: first.skips });
  return textsOf([...first.lines, ...second.lines]);
}

test('every split point of a text gives the same lines, whatever its characters and line ends', () => {
  const bytes = Buffer.from('가격 😀 하나\r\n\nplain\r\n끝😀');
  for (let split = 0; split <= bytes.length; split++) expect(inTwo(bytes, split)).toEqual(['가격 😀 하나', '', 'plain', '끝😀']);
});

test('lines have their place in the file', () => {
  const { lines, end } = linesOf(Buffer.from('ab\r\nc\nrest'), 100);
  expect(lines).toEqual([
    { offset: 100, end: 104, text: 'ab' },
    { offset: 104, end: 106, text: 'c' },
  ]);
  expect(end).toBe(106);
  expect(linesOf(Buffer.from('rest'), 106, { isLast: true }).lines).toEqual([{ offset: 106, end: 110, text: 'rest' }]);
});

test('a character whose last bytes are still to come stays whole; bytes that are no character hold up nothing', () => {
  const bytes = Buffer.from('값😀');
  // from the first whole character on: a piece of one that stands alone is taken as it is
  for (let split = 3; split < bytes.length; split++) {
    const first = linesOf(bytes.subarray(0, split), 0, { isLast: true });
    const second = linesOf(bytes.subarray(first.end), first.end, { isLast: true });
    const texts = textsOf([...first.lines, ...second.lines]);
    expect(texts.join('')).toBe('값😀');
  }
  for (const bad of [[0xe9], [0x61, 0xe9], [0x80, 0x80, 0x80, 0x80], [0xff], [0xf0, 0x9f]]) {
    let at = 0;
    while (at < bad.length) {
      const { end } = linesOf(Buffer.from(bad).subarray(at), at, { isLast: true });
      expect(end).toBeGreaterThan(at);
      at = end;
    }
  }
});

describe('a line that is too long', () => {
  test.each([MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES])(
    'of %i bytes hides nothing behind it',
    (length) => {
      const bytes = Buffer.from(`${'x'.repeat(length)}\nnext\n`);
      for (const split of [10, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, length, length + 1]) {
        const [first = '', ...others] = inTwo(bytes, Math.min(split, bytes.length));
        expect(first.length).toBeLessThanOrEqual(MAX_LINE_BYTES + 10);
        expect(first.endsWith('(cut)')).toBe(length > MAX_LINE_BYTES);
        expect(others).toEqual(['next']);
      }
    },
  );

  test('is cut between characters', () => {
    const [line] = linesOf(Buffer.from(`${'가'.repeat(MAX_LINE_BYTES)}\n`), 0).lines;
    expect(line?.text.replace(' … (cut)', '')).toMatch(/^가+$/);
  });
});

/**
 * STOMP frames: text ↔ frame, for versions 1.0, 1.1 and 1.2 (https://stomp.github.io). A client's text may be hostile:
 * everything is bounded, nothing is guessed, and a malformed frame is an error with a reason.
 */
import { byteLength } from '../base/bytes.ts';
import { quote } from '../base/text.ts';
import { PushError } from '../errors.ts';

export const STOMP_VERSIONS = ['1.2', '1.1', '1.0'] as const;
export type StompVersion = (typeof STOMP_VERSIONS)[number];

export interface StompFrame {
  readonly command: string;
  /** Unescaped; of a repeated header the first. `content-length` is the codec's own and never among them. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** More frames in one message are an attack, or a flood. */
const MAX_FRAMES = 100;
const MAX_HEADERS = 40;
/** Limit for command and headers, in characters: a token takes some thousands. */
const MAX_HEAD = 16_384;

const NUL = '\0';
const LENGTH = 'content-length';

const malformed = (reason: string): PushError => new PushError('INVALID_MESSAGE_FORMAT', reason);

/**
 * The frames of one message, one after another: line feeds between them are heart-beats. `version` is asked before
 * each frame, since the first may settle it for the next. Throws a PushError at the first that is malformed.
 */
export function* parseFrames(text: string, version: () => StompVersion): Generator<StompFrame, void> {
  let at = skipLineEnds(text, 0);
  for (let count = 1; at < text.length; count++) {
    if (count > MAX_FRAMES) throw malformed(`a message may hold ${MAX_FRAMES} frames`);
    const head = readHead(text, at, version());
    const end = bodyEnd(text, head.end, head.length);
    yield { command: head.command, headers: head.headers, body: text.slice(head.end, end) };
    at = skipLineEnds(text, end + 1);
  }
}

function skipLineEnds(text: string, from: number): number {
  let at = from;
  while (text[at] === '\n' || (text[at] === '\r' && text[at + 1] === '\n')) at++;
  return at;
}

interface Head {
  readonly command: string;
  readonly headers: Map<string, string>;
  /** Index of the body's first character. */
  readonly end: number;
  /** Of the body, in bytes; `null` if the frame does not say. */
  readonly length: number | null;
}

function readHead(text: string, from: number, version: StompVersion): Head {
  const lines: string[] = [];
  for (let at = from; ; ) {
    const end = text.indexOf('\n', at);
    if (end === -1 || end - from > MAX_HEAD) {
      const reason =
        end === -1 && text.length - from <= MAX_HEAD ? 'a frame must be whole in one message' : `a head may have ${MAX_HEAD} characters`;
      throw malformed(`${reason}: ${quote(text.slice(from, from + 50), 40)} …`);
    }
    const line = text.slice(at, text[end - 1] === '\r' && end > at ? end - 1 : end);
    at = end + 1;
    if (line === '' && lines.length > 0) return headOf(lines, at, version);
    if (line.includes(NUL)) throw malformed('a NUL stands before the end of the headers');
    if (lines.length > MAX_HEADERS) throw malformed(`a frame may have ${MAX_HEADERS} headers`);
    lines.push(line);
  }
}

function headOf([command = '', ...lines]: string[], end: number, version: StompVersion): Head {
  if (!/^[A-Z]{1,20}$/.test(command)) throw malformed(`${quote(command, 40)} is no command`);
  const raw = isUnescaped(command) ? '1.0' : version;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw malformed(`a header is name:value, not ${quote(line, 40)}`);
    const name = unescaped(line.slice(0, colon), raw);
    // the first counts: an intermediary may have added a second
    if (!headers.has(name)) headers.set(name, unescaped(line.slice(colon + 1), raw));
  }
  const length = headers.get(LENGTH);
  if (length !== undefined && !/^\d{1,9}$/.test(length)) throw malformed(`${LENGTH}: expected a number of bytes, got ${quote(length, 40)}`);
  headers.delete(LENGTH);
  return { command, headers, end, length: length === undefined ? null : Number(length) };
}

/** The body's end: at the announced length, which NUL must follow, or at the first NUL. */
function bodyEnd(text: string, from: number, length: number | null): number {
  if (length === null) {
    const end = text.indexOf(NUL, from);
    if (end === -1) throw malformed('a frame must be whole in one message, and end with NUL');
    return end;
  }
  const end = afterBytes(text, from, length);
  if (end === null || text[end] !== NUL) throw malformed(`${LENGTH} says ${length}, but no NUL follows the body there`);
  return end;
}

/** The index `bytes` bytes of UTF-8 after `from`; `null` if the text is shorter, or the end falls inside a character. */
function afterBytes(text: string, from: number, bytes: number): number | null {
  let at = from;
  let left = bytes;
  while (left > 0) {
    const code = text.codePointAt(at);
    if (code === undefined) return null;
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += code < 0x10000 ? 1 : 2;
  }
  return left === 0 ? at : null;
}

/** These are written alike in every version, since they settle the version. */
const isUnescaped = (command: string): boolean => command === 'CONNECT' || command === 'STOMP' || command === 'CONNECTED';

const ESCAPES: Readonly<Record<StompVersion, Readonly<Record<string, string>>>> = {
  '1.0': {},
  '1.1': { '\\': '\\\\', '\n': '\\n', ':': '\\c' },
  '1.2': { '\\': '\\\\', '\n': '\\n', ':': '\\c', '\r': '\\r' },
};
const reversed = (escapes: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(escapes).map(([plain, written]) => [written, plain]));
const UNESCAPES: Readonly<Record<StompVersion, ReadonlyMap<string, string>>> = {
  '1.0': reversed(ESCAPES['1.0']),
  '1.1': reversed(ESCAPES['1.1']),
  '1.2': reversed(ESCAPES['1.2']),
};

function unescaped(text: string, version: StompVersion): string {
  // clients of 1.0 write a blank after the colon
  if (version === '1.0') return text.trim();
  if (!text.includes('\\')) return text;
  return text.replace(/\\[\s\S]?/gu, (written) => {
    const plain = UNESCAPES[version].get(written);
    if (plain === undefined) throw malformed(`${JSON.stringify(written)} is no escape of STOMP ${version}`);
    return plain;
  });
}

/** Characters that a version cannot escape (a NUL; in 1.0 any line end) become a blank, so that no value starts a header of its own. */
function escaped(text: string, version: StompVersion): string {
  return text.replace(/[\\\n:\r\0]/g, (plain) => {
    const written = ESCAPES[version][plain];
    return written ?? (plain === '\\' || plain === ':' ? plain : ' ');
  });
}

/** A frame as text, with the length of its body if it has one. */
export function formatFrame({ command, headers, body }: StompFrame, version: StompVersion): string {
  const raw = isUnescaped(command) ? '1.0' : version;
  const all = body === '' ? headers : new Map([...headers, [LENGTH, String(byteLength(body))]]);
  const lines = [...all].map(([name, value]) => `${escaped(name, raw)}:${escaped(value, raw)}\n`);
  return `${command}\n${lines.join('')}\n${body}${NUL}`;
}

/** The STOMP codec: it reads what it writes, agrees with the official client, and refuses hostile input with a reason. */
import { FrameImpl, Parser } from '@stomp/stompjs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PushError } from '../../../core/errors.ts';
import { formatFrame, parseFrames, STOMP_VERSIONS, type StompFrame, type StompVersion } from '../../../core/protocol/stomp-frame.ts';

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 1) });

const parse = (text: string, version: StompVersion = '1.2'): StompFrame[] => [...parseFrames(text, () => version)];
const parseOne = (text: string, version: StompVersion = '1.2'): StompFrame => parse(text, version)[0] as StompFrame;
const refusal = (text: string, version: StompVersion = '1.2'): string => {
  try {
    parse(text, version);
  } catch (error) {
    if (error instanceof PushError) return error.message;
    throw error;
  }
  throw new Error('expected a refusal');
};

/** Header values that a version can write. */
const writable: Record<StompVersion, fc.Arbitrary<string>> = {
  '1.2': fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !text.includes('\0')),
  '1.1': fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\0\r]/.test(text)),
  '1.0': fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\0\r\n]/.test(text) && text.trim() === text),
};
const names: Record<StompVersion, fc.Arbitrary<string>> = {
  '1.2': writable['1.2'].filter((name) => name !== '' && name !== 'content-length'),
  '1.1': writable['1.1'].filter((name) => name !== '' && name !== 'content-length'),
  '1.0': writable['1.0'].filter((name) => name !== '' && !name.includes(':') && name !== 'content-length'),
};
/** Text that a WebSocket can carry: no half of a surrogate pair. */
const body = fc
  .string({
    unit: fc.oneof(fc.constant('\0'), fc.constant('\n'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
    maxLength: 60,
  })
  .filter((text) => text.isWellFormed());
const frames = (version: StompVersion): fc.Arbitrary<StompFrame> =>
  fc.record({
    command: fc.constantFrom('MESSAGE', 'SUBSCRIBE', 'SEND', 'ERROR', 'RECEIPT'),
    headers: fc.dictionary(names[version], writable[version], { maxKeys: 8 }).map((record) => new Map(Object.entries(record))),
    body,
  });

describe.each(STOMP_VERSIONS)('in STOMP %s', (version) => {
  test('a frame that is written and read again is the same', () => {
    fc.assert(
      fc.property(frames(version), (frame) => {
        expect(parse(formatFrame(frame, version), version)).toEqual([frame]);
      }),
      { numRuns: 500 },
    );
  });

  test('several frames in one message are read in order, whatever line ends are between them', () => {
    const between = fc.array(fc.constantFrom('\n', '\r\n'), { maxLength: 3 }).map((ends) => ends.join(''));
    fc.assert(
      fc.property(fc.array(fc.tuple(between, frames(version)), { maxLength: 5 }), between, (parts, end) => {
        const text = parts.map(([before, frame]) => before + formatFrame(frame, version)).join('') + end;
        expect(parse(text, version)).toEqual(parts.map(([, frame]) => frame));
      }),
      { numRuns: 200 },
    );
  });

  test('any text is either read or refused with a reason', () => {
    const pieces = fc.constantFrom(
      'SUBSCRIBE',
      'CONNECT',
      '\n',
      '\r\n',
      '\0',
      ':',
      '\\',
      '\\c',
      'content-length:',
      '3',
      '99999',
      'id',
      'é',
      '😀',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          parse(parts.join(''), version);
        } catch (error) {
          expect(error).toBeInstanceOf(PushError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("the official client's parser reads our frames as we do", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[a-z-]{1,12}$/).filter((name) => name !== 'content-length'),
          writable[version],
          { maxKeys: 6 },
        ),
        body,
        (record, text) => {
          const frame: StompFrame = { command: 'MESSAGE', headers: new Map(Object.entries(record)), body: text };
          const read = readByOfficialClient(formatFrame(frame, version), version);
          // that parser trims, and unescapes in 1.2 only, one kind of escape after another: a backslash before another letter confuses it
          const plain = Object.values(record).every(
            (value) => value.trim() === value && !/[\\\r]/.test(value) && (version === '1.2' || !/[\n:]/.test(value)),
          );
          expect(read.body).toBe(text);
          if (plain) expect(Object.fromEntries(Object.entries(read.headers).filter(([name]) => name !== 'content-length'))).toEqual(record);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('our parser reads the frames of the official client', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[a-z-]{1,12}$/).filter((name) => name !== 'content-length'),
          fc.stringMatching(/^[ -9;-[\]-~]{0,20}$/).filter((value) => value.trim() === value && value !== ''),
          { maxKeys: 6 },
        ),
        body,
        (headers, text) => {
          const written = FrameImpl.marshall({
            command: 'SEND',
            headers,
            body: text,
            binaryBody: undefined as never,
            escapeHeaderValues: version === '1.2',
            skipContentLengthHeader: false,
          }) as string;
          expect(parseOne(written, version)).toEqual({ command: 'SEND', headers: new Map(Object.entries(headers)), body: text });
        },
      ),
      { numRuns: 300 },
    );
  });
});

function readByOfficialClient(text: string, version: StompVersion): { headers: Record<string, string>; body: string } {
  const found: { headers: Record<string, string>; body: string }[] = [];
  const parser = new Parser(
    (raw) => {
      const { headers, body: read } = FrameImpl.fromRawFrame(raw, version === '1.2');
      found.push({ headers: headers as Record<string, string>, body: read });
    },
    () => undefined,
  );
  parser.parseChunk(text);
  return found[0] as { headers: Record<string, string>; body: string };
}

test('each version has its own escapes', () => {
  const frame: StompFrame = { command: 'MESSAGE', headers: new Map([['h', 'a:b\\c\nd\re']]), body: '' };

  expect(formatFrame(frame, '1.2')).toBe('MESSAGE\nh:a\\cb\\\\c\\nd\\re\n\n\0');
  expect(formatFrame(frame, '1.1')).toBe('MESSAGE\nh:a\\cb\\\\c\\nd e\n\n\0');
  expect(formatFrame(frame, '1.0')).toBe('MESSAGE\nh:a:b\\c d e\n\n\0');
  expect(parseOne('SEND\nh:a\\cb\\\\n\n\n\0').headers.get('h')).toBe('a:b\\n');
});

test('CONNECT and CONNECTED have no escapes in any version', () => {
  expect(parseOne('CONNECT\nhost:localhost:8000\npasscode:a\\nb\n\n\0').headers).toEqual(
    new Map([
      ['host', 'localhost:8000'],
      ['passcode', 'a\\nb'],
    ]),
  );
});

test('the first of repeated headers counts', () => {
  expect(parseOne('SUBSCRIBE\nid:1\nid:2\n\n\0').headers.get('id')).toBe('1');
});

test('a frame with carriage returns at its line ends is read', () => {
  expect(parseOne('SUBSCRIBE\r\nid:1\r\n\r\n\0')).toEqual({ command: 'SUBSCRIBE', headers: new Map([['id', '1']]), body: '' });
});

describe('hostile input', () => {
  test('a line feed in a header value injects no header', () => {
    for (const version of STOMP_VERSIONS) {
      const text = formatFrame({ command: 'MESSAGE', headers: new Map([['a', 'x\nadmin:true\r\nb:c\n\n\0MESSAGE']]), body: '' }, version);
      const [only, ...others] = parse(text, version);
      expect([...(only as StompFrame).headers.keys()]).toEqual(['a']);
      expect(others).toEqual([]);
    }
  });

  test('a line feed in a header name injects no header', () => {
    for (const version of STOMP_VERSIONS) {
      expect([
        ...parseOne(formatFrame({ command: 'MESSAGE', headers: new Map([['a\nb', 'c']]), body: '' }, version), version).headers,
      ]).toHaveLength(1);
    }
  });

  test('an escape that no version has is refused', () => {
    expect(refusal('SUBSCRIBE\nid:a\\tb\n\n\0')).toContain('no escape of STOMP 1.2');
    expect(refusal('SUBSCRIBE\nid:a\\\n\n\0')).toContain('no escape');
    expect(refusal('SUBSCRIBE\nid:a\\rb\n\n\0', '1.1')).toContain('no escape of STOMP 1.1');
    expect(refusal('SUBSCRIBE\nid:a\\😀\n\n\0'), 'a whole character').toContain('😀');
  });

  test.each(['-1', 'abc', '1e3', '', ' 5', '0x10', '99999999999999999999'])('a content-length of %j is refused', (length) => {
    expect(refusal(`SEND\ncontent-length:${length}\n\nhello\0`)).toContain('content-length');
  });

  test('a content-length that is too small or too large neither splits nor swallows frames', () => {
    expect(refusal('SEND\ncontent-length:3\n\nhello\0')).toContain('no NUL follows');
    expect(refusal('SEND\ncontent-length:50\n\nhello\0SUBSCRIBE\nid:1\n\n\0')).toContain('no NUL follows');
    expect(refusal('SEND\ncontent-length:999999999\n\nhello\0')).toContain('no NUL follows');
  });

  test('a content-length that ends within a character is refused', () => {
    expect(refusal('SEND\ncontent-length:1\n\né\0')).toContain('no NUL follows');
  });

  test('the first of two content-lengths counts', () => {
    expect(parseOne('SEND\ncontent-length:5\ncontent-length:2\n\nhello\0').body).toBe('hello');
  });

  test('headers that are too long or too many are refused', () => {
    expect(refusal(`SUBSCRIBE\nid:${'x'.repeat(20_000)}\n\n\0`)).toContain('characters');
    expect(refusal(`SUBSCRIBE\n${'a:b\n'.repeat(100)}\n\0`)).toContain('40 headers');
    expect(refusal(`SUBSCRIBE\nid:${'x'.repeat(130_000)}`)).toContain('characters');
  });

  test('a NUL ends a body without content-length, and the text after it must be a frame', () => {
    expect(refusal('SEND\n\na\0b\0')).toContain('whole in one message');
    expect(parseOne('SEND\ncontent-length:3\n\na\0b\0').body).toBe('a\0b');
  });

  test('a NUL among the headers is refused', () => {
    expect(refusal('SUBSCRIBE\nid:a\0b\n\n\0')).toContain('NUL');
    expect(refusal('SUB\0SCRIBE\n\n\0')).toContain('NUL');
  });

  test('a frame that is split over two messages is refused', () => {
    for (const part of ['SUBSCRIBE', 'SUBSCRIBE\nid:1', 'SUBSCRIBE\nid:1\n\n', 'SEND\n\nhel'])
      expect(refusal(part)).toContain('whole in one message');
  });

  test('a header without name or colon is refused', () => {
    expect(refusal('SUBSCRIBE\nid\n\n\0')).toContain('name:value');
    expect(refusal('SUBSCRIBE\n:x\n\n\0')).toContain('name:value');
  });

  test('an invalid command is refused', () => {
    for (const text of ['subscribe\n\n\0', '{"type":"subscribe"}\n\n\0', 'GET / HTTP/1.1\n\n\0', '__PROTO__\n\n\0'])
      expect(refusal(text)).toContain('no command');
  });

  test('a header named like a property of every object is a plain header', () => {
    expect(parseOne('SUBSCRIBE\n__proto__:1\nconstructor:2\n\n\0').headers.get('__proto__')).toBe('1');
  });

  test('10,000 frames in one message are refused after a hundred', () => {
    expect(refusal('SUBSCRIBE\nid:1\n\n\0'.repeat(10_000))).toContain('100 frames');
  });

  test('a hundred thousand line feeds contain no frame', () => {
    expect(parse('\n'.repeat(100_000))).toEqual([]);
  });
});

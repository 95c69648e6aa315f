import { describe, expect, test } from 'vitest';
import { addKey, formatRing, idOf, type RingKey, readRing, revokeKey, rotateKey } from '../../../core/events/key-ring.ts';

const key = (source: string, digit: string): RingKey => ({ source, sha256: digit.repeat(64), made: '2026-11-26T00:00:00.000Z' });
const [first, second, third] = [key('a', '1'), key('a', '2'), key('a', '3')];
const other = key('b', '4');

describe('a ring', () => {
  test('is what it was written as, and a plain key is none', () => {
    expect(readRing(formatRing([first, other]))).toEqual([first, other]);
    expect(readRing('plain')).toBeNull();
  });

  test.each(['{}', '{"keys":[{"source":"a"}]}', '{"keys":[{"source":"a","sha256":"short","made":""}]}'])(
    '%s cannot be read, and says what to do',
    (text) => {
      expect(() => readRing(text)).toThrow('restore its version before');
    },
  );

  test('takes one first key of each source', () => {
    expect(addKey([first], other)).toEqual([first, other]);
    expect(() => addKey([first], second)).toThrow('a has a key: rotate it');
  });

  test('keeps the newest two of a source that is rotated, and leaves the others alone', () => {
    expect(rotateKey([first, other], second)).toEqual([first, other, second]);
    expect(rotateKey([first, other, second], third)).toEqual([other, second, third]);
    expect(() => rotateKey([other], first)).toThrow('a has no key: add one first');
  });

  test('loses a key by its id', () => {
    expect(revokeKey([first, other], idOf(first))).toEqual([other]);
    expect(() => revokeKey([first], 'nothing')).toThrow('there is no key nothing');
  });
});

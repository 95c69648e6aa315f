import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut, quote } from '../../../core/base/text.ts';

test.each([
  ['abc', 5, 'abc'],
  ['abc', 3, 'abc'],
  ['abcd', 3, 'abc'],
  ['a😀b', 2, 'a'],
  ['a😀b', 3, 'a😀'],
  ['😀', 1, ''],
  ['\ud83dab', 2, '\ufffda'],
  ['ab\udc00', 5, 'ab\ufffd'],
])('%j has the first %i characters %j', (text, most, expected) => {
  expect(cut(text, most)).toBe(expected);
});

test('a text that is cut is well-formed, no longer than asked, and shorter by no more than one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat({ max: 20 }), (text, most) => {
      const short = cut(text, most);
      expect(short.isWellFormed()).toBe(true);
      expect(text.startsWith(short)).toBe(true);
      expect(Math.min(text.length, most) - short.length).toBeLessThanOrEqual(1);
    }),
  );
});

test('a text that is quoted has both its marks, another value is cut', () => {
  expect(quote('abcdef', 3)).toBe('"abc"');
  expect(quote({ a: 1 }, 4)).toBe('{"a"');
  expect(quote(undefined, 9)).toBe('nothing');
});

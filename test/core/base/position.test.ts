import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BEFORE_ALL, formatPosition, parsePosition } from '../../../core/base/position.ts';

const epoch = fc.stringMatching(/^[0-9A-Za-z]{1,32}$/);
const offset = fc.nat({ max: 999_999_999_999_999 });

test('a position is read as it was written, with and without the suffix of a KEEPALIVE', () => {
  fc.assert(
    fc.property(epoch, offset, offset, (one, at, repeatedAt) => {
      const text = formatPosition(one, at);

      expect(parsePosition(text)).toEqual({ epoch: one, offset: at });
      expect(parsePosition(`${text};k${repeatedAt}`)).toEqual({ epoch: one, offset: at });
    }),
  );
});

test.each(['abc:7', 'abc\\c7', 'abc:7;k3', 'abc\\c7;k3'])('%j, stored before positions had a hyphen, is read', (text) => {
  expect(parsePosition(text)).toEqual({ epoch: 'abc', offset: 7 });
});

test.each([
  '',
  '-',
  'abc-',
  '-1',
  'abc--1',
  'abc-1.5',
  'abc-1-2',
  'abc\\:1',
  'abc\\d1',
  ':',
  'abc',
  'abc:',
  ':1',
  'abc:-1',
  'abc:1.5',
  'abc:1e3',
  'abc: 1',
  ' abc:1',
  'abc:1 ',
  'abc:1:2',
  'a b:1',
  'a-b:1',
  'abc:1;k',
  'abc:1;kx',
  'abc:1;1',
  'abc:1;k1;k2',
  'abc:1\n',
  `${'a'.repeat(33)}:1`,
  `abc:${'1'.repeat(16)}`,
  `abc:1;k${'1'.repeat(16)}`,
])('%j is no position', (text) => {
  expect(parsePosition(text)).toBeNull();
});

test('the longest epoch and offset are read', () => {
  expect(parsePosition(`${'a'.repeat(32)}:${'9'.repeat(15)}`)).toEqual({ epoch: 'a'.repeat(32), offset: 999_999_999_999_999 });
});

test('an offset before every offset lies before "before the first", which is 0', () => {
  expect(BEFORE_ALL).toBeLessThan(0);
});

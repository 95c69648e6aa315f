import { expect, test } from 'vitest';
import { backoff, retryAfter } from '../../../../systems/operations/webhooks/retry-after.ts';

const NOW = Date.parse('2026-11-26T12:00:00Z');

test.each([
  [null, '', 60],
  [null, 'no json', 60],
  [null, 'null', 60],
  ['5', '', 5],
  ['0', '', 1],
  ['1.2', '', 2],
  [' 7 ', '', 7],
  ['-5', '', 60],
  ['soon', '', 60],
  ['100000', '', 900],
  ['Thu, 26 Nov 2026 12:00:30 GMT', '', 30],
  ['Thu, 26 Nov 2026 11:00:00 GMT', '', 1],
  [null, '{"retry_after":0.3}', 1],
  [null, '{"retry_after":64.57}', 65],
  ['2', '{"retry_after":64.57}', 65],
  ['65', '{"retry_after":0.5}', 65],
  [null, '{"retry_after":"5"}', 60],
  [null, '{"retry_after":1e99}', 900],
])('Retry-After %j with the body %j is %i s', (header, body, seconds) => {
  expect(retryAfter(header, body, NOW)).toBe(seconds);
});

test('other failures are tried again after a random pause that doubles', () => {
  expect([0, 1, 2, 3].map((tries) => backoff(tries, 1))).toEqual([2, 4, 8, 16]);
  expect(backoff(3, 0)).toBe(8);
  expect(backoff(30, 1)).toBe(900);
});

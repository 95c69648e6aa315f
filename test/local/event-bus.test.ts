import { afterAll, expect, test } from 'vitest';
import { localClock } from '../../local/base/clock.ts';
import { localBus } from '../../local/resources/event-bus.ts';

const clock = localClock();
afterAll(() => clock.stop());
const put = (Detail: string) => localBus('bus', clock).put({ Source: 's', DetailType: 'd', Detail });

test.each([
  ['is no JSON', '{'],
  ['is no object', '[]'],
  ['is nested too deeply', `${'{"a":'.repeat(1_001)}1${'}'.repeat(1_001)}`],
  ['ends within a string of a million quotes', `{"a":"${'\\"'.repeat(500_000)}`],
  ['ends with a backslash after as many', `{"a":"${'\\"'.repeat(500_000)}\\`],
])('a detail that %s is an error of its entry, at once', (_, detail) => {
  expect(put(detail)).toEqual({ ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed' });
});

test.each([`{"a":"${'\\"'.repeat(100_000)}"}`, `${'{"a":'.repeat(999)}1${'}'.repeat(999)}`, '{"a":"[{\\n\\\\"}'])(
  'a detail with quotes, brackets and depth is taken',
  (detail) => {
    expect(put(detail)).toHaveProperty('EventId');
  },
);

/** `docs/cost-and-scale.md` follows from counted requests (`test/functions/budget.test.ts`). */
import { expect, test } from 'vitest';
import { costPage } from '../../scripts/cost/page.ts';
import { PRICES, REGIONS } from '../../scripts/cost/prices.ts';
import { type Parts, published, sum, times } from '../../scripts/cost/usage.ts';
import { WALKS } from '../../scripts/cost/walks.ts';

const PARTS: Parts = { queues: 2, alarms: 30, secrets: 2, metrics: 13 };

test.each(['message', 'subscribe', 'stompSubscribeLog', 'announcement', 'stateEventHeard', 'logEventHeard'] as const)(
  'a write more in the walk %s makes another page',
  (name) => {
    const dearer = { ...WALKS, [name]: { ...WALKS[name], writes: WALKS[name].writes + 1 } };
    expect(costPage(PARTS, dearer)).not.toBe(costPage(PARTS));
    expect(costPage(PARTS)).toBe(costPage(PARTS));
  },
);

test('a part more in the template makes another page', () => {
  expect(costPage({ ...PARTS, queues: 3 })).not.toBe(costPage(PARTS));
});

test('a price that is not known for a region is marked, and that of us-east-1 is taken', () => {
  const unknown = Object.values(PRICES).filter(({ price }) => REGIONS.some((region) => price[region] === null));
  expect(unknown.map(({ item }) => item)).toContain('SQS requests');
  const row = costPage(PARTS)
    .split('\n')
    .find((line) => line.startsWith('| SQS requests'));
  expect(row).toMatch(/^\| SQS requests \* \| (\$\S+) \| \1 \|$/);
});

test('a broadcast to a thousand in one event of the bus', () => {
  const walk = WALKS.stateEventHeard;
  const used = published({
    lane: 'bus',
    eventsInRequest: 1,
    messagesInEvent: 1,
    batch: 1,
    walk,
    writeUnits: 1,
    audience: 1_000,
    bytes: 1_000,
  });
  expect(used).toMatchObject({ socketMessages: 1_000, busEvents: 1, httpRequests: 1, queueRequests: 3, writeUnits: walk.writes });
  expect(used.gigabytesOut).toBe(1_000 * 1_040);
  // a thousand subscriptions of 250 bytes are 62 read units, and the head one
  expect(used.readUnits).toBe(63);
  expect(sum(times(2, used), used)).toEqual(times(3, used));
});

test('a message of more than 32 KB is metered as several', () => {
  const one = {
    lane: 'direct',
    eventsInRequest: 500,
    messagesInEvent: 1,
    batch: 10,
    walk: WALKS.logEventHeard,
    writeUnits: 1,
    audience: 1,
  } as const;
  expect(published({ ...one, bytes: 32 * 1024 }).socketMessages).toBe(1);
  expect(published({ ...one, bytes: 100_000 }).socketMessages).toBe(4);
});

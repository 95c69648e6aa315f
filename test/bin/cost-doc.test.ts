/** `docs/cost-and-scale.md` follows from counted requests (`test/functions/budget.test.ts`). */
import { expect, test } from 'vitest';
import { costPage } from '../../scripts/cost/page.ts';
import { PRICES, REGIONS } from '../../scripts/cost/prices.ts';
import { clientHour, idleHour, keepAliveHour, type Parts, published, sum, times, trafficHour } from '../../scripts/cost/usage.ts';
import { WALKS } from '../../scripts/cost/walks.ts';

const PARTS: Parts = { polledQueues: 2, alarms: 30, dashboards: 1, secrets: 2 };

test.each(Object.keys(WALKS).filter((name) => !name.endsWith('Unheard')) as (keyof typeof WALKS)[])(
  'a request more in the walk %s makes another page',
  (name) => {
    const { writes, reads, queries } = WALKS[name];
    // a stream only reads
    const dearer = { ...WALKS, [name]: { writes: writes + 1_000, reads: reads + 1_000, queries } };
    expect(costPage(PARTS, dearer)).not.toBe(costPage(PARTS));
  },
);

test('a part more in the template makes another page', () => {
  for (const name of ['polledQueues', 'alarms', 'dashboards', 'secrets'] as const)
    expect(costPage({ ...PARTS, [name]: PARTS[name] + 1 })).not.toBe(costPage(PARTS));
});

test('a price that is not known for a region is marked, and that of us-east-1 is taken', () => {
  const unknown = Object.values(PRICES).filter(({ price }) => REGIONS.some((region) => price[region] === null));
  expect(unknown.map(({ item }) => item)).toContain('SQS requests');
  const row = costPage(PARTS)
    .split('\n')
    .find((line) => line.startsWith('| SQS requests *'));
  expect(row).toMatch(/^\| SQS requests \* \| (\$\S+) \| \1 \|$/);
});

const one = { lane: 'bus', eventsInRequest: 1, messagesInEvent: 1, batch: 1, itemUnits: 1, audience: 1, bytes: 1_000 } as const;

test('a broadcast to a thousand, in one event of the bus', () => {
  const used = published({ ...one, walk: WALKS.stateEventHeard, audience: 1_000 });
  expect(used).toMatchObject({
    httpRequests: 1,
    busEvents: 1,
    // put by the bus, received, deleted
    queueRequests: 3,
    // of rest and of ingest
    lambdaRequests: 2,
    posts: 1_000,
    socketMessages: 1_000,
    bytesOut: 1_000 * 1_040,
    writeUnits: 3,
    // the head, and a thousand subscriptions of 250 bytes
    readUnits: 1 + 62,
    logBytes: 2 * 700 + 500 + 150 + 400,
  });
  expect(sum(times(2, used), used)).toEqual(times(3, used));
});

test('a log event to one of five hundred buyers, on the direct lane', () => {
  const used = published({ ...one, lane: 'direct', eventsInRequest: 500, batch: 10, walk: WALKS.logEventHeard });
  expect(used.busEvents).toBeUndefined();
  expect(used.httpRequests).toBe(1 / 500);
  // ten in a put, and ten in a batch that is received and deleted
  expect(used.queueRequests).toBeCloseTo(0.1 + 0.2);
  // 2 reads, the log's own query, and a page of the audience
  expect(used).toMatchObject({ writeUnits: 5, readUnits: 4, posts: 1 });
});

test('one of fifty quotes in an event has a fiftieth of its request', () => {
  const used = published({ ...one, messagesInEvent: 50, walk: WALKS.stateEventHeard, itemUnits: 2 });
  expect(used).toMatchObject({ httpRequests: 1 / 50, busEvents: 1 / 50, writeUnits: 4 });
});

test('a message of more than 32 KB is metered as several', () => {
  const metered = (bytes: number) => published({ ...one, walk: WALKS.logEventHeard, bytes }).socketMessages;
  expect([metered(32 * 1024), metered(32 * 1024 + 1), metered(100_000)]).toEqual([1, 2, 4]);
});

test('an hour of a client', () => {
  const used = clientHour({ dialect: 'stomp', subscribing: [{ walk: WALKS.subscribe, topics: 1 }] }, WALKS);
  expect(used).toMatchObject({
    connectionMinutes: 60,
    // half a connection: CONNECT and its answer, SUBSCRIBE and its answer; and fifteen heart-beats
    socketMessages: 4 / 2 + 15,
    posts: 2 / 2,
    // half of: connect 2, disconnect 2, its subscription 2, CONNECT 2, SUBSCRIBE 4; and the heart-beats
    writeUnits: 12 / 2 + 15,
    lambdaRequests: 4 / 2 + 15,
  });
  // a JSON client is pinged: a mark, a post, and its answer
  const json = clientHour({ dialect: 'json', subscribing: [] }, WALKS);
  expect(json).toMatchObject({ socketMessages: 1 / 2 + 2 * 15, writeUnits: 4 / 2 + 2 * 15 });
});

test('signs of life of a buyer, in an hour', () => {
  // the turn is taken and released, and the connection marked
  expect(keepAliveHour(350, WALKS)).toMatchObject({ posts: 15, writeUnits: 15 * 3, readUnits: 15 * 2 });
});

test('an idle hour, and a hundred clients that the sweep scans', () => {
  expect(idleHour(PARTS)).toMatchObject({ queueRequests: 2 * 900, lambdaRequests: 120, writeUnits: 60, readUnits: 510 });
  expect(idleHour(PARTS).alarms).toBeCloseTo(30 / 730);
  const scanned = trafficHour(100, { dialect: 'json', subscribing: [{ walk: WALKS.subscribe, topics: 4 }] });
  // 2,000 bytes each, at half a unit for 4 KB
  expect(scanned.readUnits).toBeCloseTo((60 * 100 * 2_000) / 8_192);
});

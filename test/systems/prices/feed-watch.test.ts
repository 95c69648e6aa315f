import { beforeEach, describe, expect, test } from 'vitest';
import { ingest } from '../../../core/events/ingest.ts';
import { feedHealth, watchFeed } from '../../../systems/prices/feed-watch.ts';
import { METRIC } from '../../../systems/prices/metrics.ts';
import { listed, type PublishedEvent, SENT_AT_MS, tick } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

/** Friday, 09:00 in Seoul. */
const OPENING = Date.parse('2026-02-06T09:00:00+09:00');
const MINUTE = 60_000;
let ports: MemoryPorts;
let serial = 0;
beforeEach(() => {
  ports = memoryPorts();
});
const publish = async ({ source, detailType, detail }: PublishedEvent): Promise<void> => {
  const body = JSON.stringify({
    id: `e${serial++}`,
    source,
    'detail-type': detailType,
    time: new Date(ports.clock.now()).toISOString(),
    detail,
  });
  await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
    ...ports,
    deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
  });
};
const tickNow = (ticker = '005930') => publish(tick(ticker, 1, { timestamp: new Date(ports.clock.now()).toISOString() }));
const look = async (atMs: number) => {
  ports.clock.nowMs = atMs;
  ports.report.counts.clear();
  await watchFeed(ports);
  return Object.fromEntries(ports.report.counts);
};

describe('in market hours', () => {
  test('the feed is live until there was no tick for two minutes, and then down', async () => {
    ports.clock.nowMs = OPENING + 10 * MINUTE;
    await tickNow();

    expect(await look(OPENING + 12 * MINUTE - 1)).toEqual({ [METRIC.quoteGaps]: 0, [METRIC.feedDown]: 0 });
    expect(await look(OPENING + 12 * MINUTE)).toEqual({ [METRIC.quoteGaps]: 0, [METRIC.feedDown]: 1 });
  });

  test('the feed has its time after the opening', async () => {
    ports.clock.nowMs = OPENING - 18 * 60 * MINUTE;
    await tickNow();

    expect(await look(OPENING + 2 * MINUTE - 1)).toMatchObject({ [METRIC.feedDown]: 0 });
    expect(await look(OPENING + 2 * MINUTE)).toMatchObject({ [METRIC.feedDown]: 1 });
  });

  test('while the feed is down, the heard topics are drained again, and only those', async () => {
    ports.clock.nowMs = OPENING;
    await tickNow('005930');
    await tickNow('000660');
    await ports.topics.hear('price:000660');
    ports.jobs.jobs.length = 0;

    await look(OPENING + 5 * MINUTE);

    expect(ports.jobs.jobs.map(({ job }) => job)).toEqual([{ kind: 'drain', topic: 'price:000660', shard: 0, repeat: true }]);
    expect(await feedHealth(ports)).toEqual({
      feed: { state: 'down', last_tick: new Date(OPENING).toISOString(), gaps: 0 },
      broadcaster: { state: 'retelling', topics: 1, checked_at: new Date(OPENING + 5 * MINUTE).toISOString() },
    });
  });

  test('tickers without a quote, and with one that is too old, are gaps', async () => {
    ports.clock.nowMs = OPENING;
    await tickNow();
    await publish(listed({ ticker: '000660', name: 'n' }, { ticker: '035720', name: 'k' }));

    expect(await look(OPENING + 1 * MINUTE)).toMatchObject({ [METRIC.quoteGaps]: 2 });
    expect(await look(OPENING + 6 * MINUTE)).toMatchObject({ [METRIC.quoteGaps]: 3 });
  });
});

describe('outside market hours', () => {
  test('the feed is closed, and nothing is delivered again', async () => {
    await ports.topics.hear('price:005930');
    expect(await look(OPENING - 10 * MINUTE)).toEqual({ [METRIC.quoteGaps]: 0, [METRIC.feedDown]: 0 });

    expect(ports.jobs.jobs).toEqual([]);
    expect(await feedHealth(ports)).toMatchObject({
      feed: { state: 'closed', last_tick: null },
      broadcaster: { state: 'idle', topics: 0 },
    });
  });

  test('there is a look every ten minutes, and at once if there was none before', async () => {
    expect(await look(OPENING - 13 * MINUTE)).not.toEqual({});
    for (const before of [12, 11, 9, 1]) expect(await look(OPENING - before * MINUTE)).toEqual({});

    expect(await look(OPENING - 10 * MINUTE)).not.toEqual({});
  });
});

test('before the first look nothing is known of the feed', async () => {
  expect(await feedHealth(ports)).toEqual({
    feed: { state: 'unknown', last_tick: null, gaps: null },
    broadcaster: { state: 'idle', topics: 0, checked_at: null },
  });
});

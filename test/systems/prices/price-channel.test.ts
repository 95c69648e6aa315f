import { beforeEach, describe, expect, test } from 'vitest';
import { ingest } from '../../../core/events/ingest.ts';
import { METRIC } from '../../../core/names.ts';
import { daily, halt, listed, type PublishedEvent, resume, tick } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const TICKER = '005930';
const TOPIC = `price:${TICKER}`;
let ports: MemoryPorts;
let buried: string[];
let listings: string[];
let serial: number;
beforeEach(() => {
  serial = 0;
  ports = memoryPorts();
  buried = [];
  listings = [];
  const { list } = ports.catalogue;
  ports.catalogue.list = async (channel, entries) => {
    listings.push(...entries.map(({ topic, name }) => `${channel} ${topic} ${name}`));
    return list(channel, entries);
  };
});
/** Returns the ids of the records that must come back. */
const publish = async (...events: PublishedEvent[]): Promise<string[]> => {
  const failed: string[] = [];
  for (const { source, detailType, detail } of events) {
    const id = `e${serial++}`;
    const body = JSON.stringify({ id, source, 'detail-type': detailType, time: new Date(ports.clock.now()).toISOString(), detail });
    const own = { ...ports, deadLetters: { bury: async (_: string, reason: string) => void buried.push(reason) } };
    failed.push(...(await ingest([{ id, body, sentAtMs: ports.clock.now() }], own)));
  }
  return failed;
};
const at = (ageMs: number): string => new Date(ports.clock.now() - ageMs).toISOString();
const ticked = (price: number, ageMs = 0) => tick(TICKER, price, { timestamp: at(ageMs) });
const state = async () => (await ports.topics.read([TOPIC])).get(TOPIC);

describe('a daily close', () => {
  test('is committed as of 15:30 in Seoul, with its price for bid and ask', async () => {
    await publish(daily(TICKER, 58_000, '2026-02-05'));

    expect(buried).toEqual([]);
    expect(await state()).toMatchObject({
      head: 1,
      parts: {
        price: {
          price: 58_000,
          change: -200,
          volume: 22_198_428,
          bid_price: 58_000,
          ask_price: 58_000,
          timestamp: '2026-02-05',
          source: 'daily',
          atMs: Date.parse('2026-02-05T15:30:00+09:00'),
        },
      },
    });
  });

  test('gives way to a tick of the same time, and replaces an earlier one', async () => {
    const close = Date.parse('2026-02-05T15:30:00+09:00');
    const tickAt = (ms: number) => tick(TICKER, 1, { timestamp: new Date(ms).toISOString() });

    await publish(tickAt(close), daily(TICKER, 58_000, '2026-02-05'));
    expect((await state())?.parts).toMatchObject({ price: { source: 'realtime' } });
    await publish(daily(TICKER, 58_000, '2026-02-06'), tickAt(close + 1));

    // the close of a day that is not over counts as accepted now
    expect((await state())?.parts).toMatchObject({ price: { source: 'daily' } });
  });

  test('appends no point to the history', async () => {
    await publish(daily(TICKER, 58_000, '2026-02-05'));

    expect((await state())?.notes).toEqual({});
  });

  test('of a day that does not exist is refused', async () => {
    await publish(daily(TICKER, 1, '2026-02-30'));

    expect(buried).toEqual(['detail.date: expected a date, YYYY-MM-DD']);
  });
});

describe('a new ticker', () => {
  test.each([
    ['tick', tick(TICKER, 1)],
    ['halt', halt(TICKER)],
    ['daily close', daily(TICKER, 1, '2026-02-05')],
  ])('is listed by its first event, a %s', async (_, first) => {
    await publish(first);

    expect(await ports.catalogue.topics('price')).toEqual([{ topic: TOPIC, name: null }]);
  });

  test('that could not be listed makes its event come back', async () => {
    const { listNew } = ports.catalogue;
    ports.catalogue.listNew = async () => Promise.reject(new Error('throttled'));
    expect(await publish(ticked(1, 2_000))).toEqual(['e0']);
    ports.catalogue.listNew = listNew;
    expect(await publish(ticked(1, 2_000))).toEqual([]);

    expect(await ports.catalogue.topics('price')).toEqual([{ topic: TOPIC, name: null }]);
  });

  test('keeps the name under which it is expected', async () => {
    await publish(listed({ ticker: TICKER, name: 'Samsung' }), ticked(1));

    expect(await ports.catalogue.topics('price')).toEqual([{ topic: TOPIC, name: 'Samsung' }]);
  });
});

describe('a list of expected tickers', () => {
  test('has names of at most 100 characters', async () => {
    await publish(listed({ ticker: TICKER, name: 'x'.repeat(100) }));
    expect(listings).toEqual([`price ${TOPIC} ${'x'.repeat(100)}`]);

    await publish(listed({ ticker: TICKER, name: 'x'.repeat(101) }));

    expect(buried).toEqual([expect.stringMatching(/^detail\.tickers\.0\.name: Invalid length/)]);
  });

  test('commits no message', async () => {
    await publish(listed({ ticker: TICKER, name: 'n' }));

    expect(await state()).toBeUndefined();
  });

  test('is not empty', async () => {
    await publish(listed());

    expect(buried).toEqual([expect.stringMatching(/^detail\.tickers: Invalid length/)]);
  });
});

describe('a halt', () => {
  const halted = async () => (await state())?.parts['halt'];

  test('and its end replace each other, newest first, beside the price', async () => {
    await publish(ticked(1), halt(TICKER, { timestamp: at(2_000) }));
    expect(await halted()).toEqual({ halted: true, reason: 'disclosure', timestamp: at(2_000) });
    await publish(resume(TICKER, { timestamp: at(3_000) }));
    expect(await halted()).toMatchObject({ halted: true });
    await publish(resume(TICKER, { timestamp: at(1_000) }));

    expect(await halted()).toMatchObject({ halted: false, timestamp: at(1_000) });
    expect((await state())?.parts).toMatchObject({ price: { price: 1 } });
  });

  test('has a reason of at most 200 characters, or none', async () => {
    await publish(halt(TICKER, { reason: 'x'.repeat(201) }));
    expect(buried).toEqual([expect.stringMatching(/^detail\.reason: Invalid length/)]);
    await publish(halt(TICKER, { reason: undefined }));

    expect(await halted()).toMatchObject({ reason: '' });
  });
});

test('several quotes in one event are one message each, also of one ticker', async () => {
  const quotes = [ticked(1), tick('000660', 2), ticked(3)].map(({ detail }) => detail);

  await publish({ source: 'market.price', detailType: 'PricesTicked', detail: { quotes } });

  expect(await state()).toMatchObject({ head: 2, parts: { price: { price: 3 } } });
  expect((await ports.topics.read(['price:000660'])).get('price:000660')).toMatchObject({ head: 1, parts: { price: { price: 2 } } });
});

test('a tick whose time is too far ahead counts as accepted now, and is counted', async () => {
  await publish(tick(TICKER, 1, { timestamp: at(-60_000) }), ticked(2));

  expect(ports.report.counts.get(METRIC.eventsAhead)).toBe(1);
  expect((await state())?.parts).toMatchObject({ price: { timestamp: at(0), atMs: ports.clock.now() } });
});

test('a history is thinned when it has grown too long', async () => {
  for (let index = 1; index <= 89; index++) await publish(ticked(index, 100_000 - index * 1_000));
  expect((await state())?.notes['recent']).toHaveLength(89);

  await publish(ticked(90, 10_000));

  // the newest 30 whole, and one in 20 s before them
  expect((await state())?.notes['recent']).toHaveLength(33);
});

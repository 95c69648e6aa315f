/** Eight defects of the service that this one replaces: each test fails on it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { daily, freshTicker, halt, listed, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { type OwnRun, ownRun, setClockTo } from '../helpers/local.ts';

const host = sharedHost();
type Quote = Record<string, unknown>;
const quoteOf = async (ticker: string): Promise<Quote | undefined> =>
  ((await host.get(`/api/kr/realtime-prices?tickers=${ticker}`)).body['prices'] as Record<string, Quote>)[ticker];
const gapOf = async (ticker: string) =>
  ((await host.get('/api/kr/prices/gaps')).body['gaps'] as { ticker: string; reasons: string[]; last: string | null }[]).find(
    (gap) => gap.ticker === ticker,
  );

test('1: REST and WebSocket deliver the same quote, and REST is never older than a pushed one', async () => {
  const ticker = freshTicker();
  const chart = await connect(host.url);
  await host.publish([daily(ticker, 58_200, '2025-02-21')]);
  chart.send({ type: 'subscribe', topic: `price:${ticker}` });
  await chart.until(ofType('subscribed'));

  for (let price = 158_600; price < 158_620; price++) await host.publish([tick(ticker, price)], price % 2 ? 'bus' : 'direct');
  let last: Record<string, unknown> = {};
  while ((last['data'] as Quote | undefined)?.['price'] !== 158_619) {
    last = await chart.until(ofType('price_update'));
    const rest = await quoteOf(ticker);
    expect(Number(rest?.['price'])).toBeGreaterThanOrEqual(Number((last['data'] as Quote)['price']));
  }

  const data = last['data'] as Quote;
  expect(await quoteOf(ticker)).toMatchObject({
    price: data['price'],
    change: data['change'],
    volume: data['volume'],
    timestamp: last['timestamp'],
  });
  await chart.close();
});

test('2: the single quote and both internal addresses answer', async () => {
  const ticker = freshTicker();
  await host.publish([tick(ticker, 1)]);
  await host.eventually(
    () => quoteOf(ticker),
    (quote) => quote !== undefined,
  );

  for (const path of [`/api/kr/stocks/${ticker}/realtime-price`, `/internal/price/${ticker}`, `/internal/prices?tickers=${ticker}`]) {
    expect((await host.get(path)).status).toBe(200);
  }
});

test('3: the numbers are of one type on REST and WebSocket, for ticks and for daily closes', async () => {
  const [live, closed] = [freshTicker(), freshTicker()];
  await host.publish([tick(live, 158_600), daily(closed, 9_730, '2023-10-05')]);
  const chart = await connect(host.url);
  for (const ticker of [live, closed]) {
    const rest = await host.eventually(
      () => quoteOf(ticker),
      (quote) => quote !== undefined,
    );
    chart.send({ type: 'subscribe', topic: `price:${ticker}` });
    const { data } = await chart.until(ofType('price_update'));

    for (const field of ['price', 'change', 'volume', 'bid_price', 'ask_price']) {
      expect(Number.isInteger((data as Quote)[field])).toBe(true);
      expect((data as Quote)[field]).toBe(rest?.[field]);
    }
    expect((data as Quote)['change_rate']).toBe(rest?.['change_rate']);
  }
  await chart.close();
});

test('4: tickers with old data or none are listed', async () => {
  const [old, none, fresh] = [freshTicker(), freshTicker(), freshTicker()];
  await host.publish([
    daily(old, 9_730, '2023-10-05'),
    tick(fresh, 1),
    listed({ ticker: old, name: '동화약품' }, { ticker: none, name: 'none' }, { ticker: fresh, name: 'fresh' }),
  ]);

  expect(
    await host.eventually(
      () => gapOf(old),
      (gap) => gap?.reasons.join() === 'stale',
    ),
  ).toMatchObject({ last: '2023-10-05', name: '동화약품' });
  expect(
    await host.eventually(
      () => gapOf(none),
      (gap) => gap !== undefined,
    ),
  ).toMatchObject({ reasons: ['no_quote'], last: null });
  await host.eventually(
    () => quoteOf(fresh),
    (quote) => quote !== undefined,
  );
  expect(await gapOf(fresh)).toBeUndefined();
});

test('5: a halted ticker keeps its quote, which has halted: true', async () => {
  const ticker = freshTicker();
  await host.publish([tick(ticker, 500)]);
  await host.eventually(
    () => quoteOf(ticker),
    (quote) => quote !== undefined,
  );

  await host.publish([halt(ticker)]);

  expect(
    await host.eventually(
      () => quoteOf(ticker),
      (quote) => quote?.['halted'] === true,
    ),
  ).toMatchObject({ price: 500 });
  expect(await gapOf(ticker)).toMatchObject({ reasons: ['halted'] });
});

describe('6: while the live feed is down in market hours', () => {
  let own: OwnRun;
  beforeAll(async () => {
    own = await ownRun();
    setClockTo(own.run, { weekday: 1, hour: 10, minute: 0 });
  });
  afterAll(() => own.run.stop());
  const isoNow = (): string => new Date(own.run.clock.now()).toISOString();

  test('subscribers get the newest quote again, without position, stale by its age, until the feed is back', async () => {
    await own.publish([tick('005930', 158_600, { timestamp: isoNow() })]);
    await own.run.settled();
    const chart = await connect(own.url);
    chart.send({ type: 'subscribe', topic: 'price:005930' });
    await chart.until(ofType('price_update'));

    await own.run.invoke('minute');
    await own.run.settled();
    const whileLive = chart.received.filter(ofType('price_update')).length;
    own.run.clock.advance(121_000);
    await own.run.invoke('minute');
    const again = await chart.until(ofType('price_update'));
    own.run.clock.advance(200_000);
    await own.run.invoke('minute');
    // the schedule is due too: the same quote may have been delivered twice before
    const stale = await chart.until((message) => (message['data'] as Quote | undefined)?.['stale'] === true);
    const health = await own.get('/api/health');
    // repeats that were asked for until now must be over: one of them could arrive after the live tick
    own.run.clock.advance(3_000);
    await own.run.settled();
    await own.publish([tick('005930', 158_700, { timestamp: isoNow() })]);
    const live = await chart.until((message) => (message['data'] as Quote | undefined)?.['price'] === 158_700);
    await own.run.invoke('minute');
    await own.run.settled();

    expect(whileLive).toBe(1);
    expect(again).toMatchObject({ data: { price: 158_600, stale: false } });
    expect(again).not.toHaveProperty('position');
    expect(stale).toMatchObject({ data: { price: 158_600, stale: true } });
    expect(health.body).toMatchObject({ feed: { state: 'down' }, broadcaster: { state: 'retelling' } });
    expect(live).toHaveProperty('position');
    await chart.quiet(
      (message) => message['type'] === 'price_update' && !('position' in message) && (message['data'] as Quote)['price'] === 158_700,
    );
    await chart.close();
  });

  test('the schedule delivers it again by itself, but not outside market hours', async () => {
    const chart = await connect(own.url);
    chart.send({ type: 'subscribe', topic: 'price:005930' });
    await chart.until(ofType('price_update'));

    own.run.clock.advance(121_000);
    await chart.until((message) => message['type'] === 'price_update' && !('position' in message));
    setClockTo(own.run, { weekday: 6, hour: 11, minute: 0 });
    await own.run.invoke('minute');

    expect((await own.get('/api/health')).body).toMatchObject({ feed: { state: 'closed' } });
    await chart.close();
  });
});

test('7: one front door serves /ws, /api/* and /internal/*', async () => {
  const chart = await connect(host.url, { headers: { origin: 'https://charts.example' } });

  expect((await chart.next())['type']).toBe('connected');
  expect((await host.get('/api/health')).status).toBe(200);
  expect((await host.get('/internal/prices')).status).toBe(200);
  await chart.close();
});

test('8: an unchanged response is a 304, and no cache may serve an old price', async () => {
  const ticker = freshTicker();
  await host.publish([tick(ticker, 1)]);
  await host.eventually(
    () => quoteOf(ticker),
    (quote) => quote !== undefined,
  );

  const { headers } = await host.get(`/internal/price/${ticker}`);

  expect(headers.get('cache-control')).toBe('no-cache');
  expect((await host.get(`/internal/price/${ticker}`, { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304);
});

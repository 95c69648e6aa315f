/** Quotes over REST, by URL (`docs/protocol.md`). */
import { describe, expect, test } from 'vitest';
import { daily, freshTicker, halt, listed, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';

const host = sharedHost();

/** Publishes, and waits until the quote of the ticker has this price. */
async function quoted(ticker: string, events: Parameters<typeof host.publish>[0], price: number): Promise<Record<string, unknown>> {
  await host.publish(events);
  const { body } = await host.eventually(
    () => host.get(`/internal/price/${ticker}`),
    ({ body }) => body['price'] === price,
  );
  return body;
}

const dateBefore = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

describe('quotes', () => {
  test('have all their fields, in the documented types', async () => {
    const ticker = freshTicker();

    const quote = await quoted(
      ticker,
      [tick(ticker, 58_200, { timestamp: '2026-02-06T22:48:44.590151+00:00' }), listed({ ticker, name: '삼성전자' })],
      58_200,
    );

    expect(
      await host.eventually(
        () => host.get(`/internal/price/${ticker}`),
        ({ body }) => body['name'] !== undefined,
      ),
    ).toMatchObject({ body: { name: '삼성전자' } });
    expect(quote).toMatchObject({
      ticker,
      price: 58_200,
      change: -700,
      change_rate: -0.4394224733207784,
      volume: 36_358_081,
      timestamp: '2026-02-06T22:48:44.590151+00:00',
      bid_price: 58_200,
      ask_price: 58_200,
      source: 'realtime',
      stale: true,
      halted: false,
    });
  });

  test('come in bulk by ticker; a ticker without quote is left out', async () => {
    const [one, two, none] = [freshTicker(), freshTicker(), freshTicker()];
    await quoted(one, [tick(one, 1)], 1);
    await quoted(two, [tick(two, 2)], 2);

    const { status, body } = await host.get(`/api/kr/realtime-prices?tickers=${one},${two},${none}`);

    expect(status).toBe(200);
    expect(body).toEqual({
      prices: { [one]: expect.objectContaining({ ticker: one, price: 1 }), [two]: expect.objectContaining({ ticker: two, price: 2 }) },
    });
  });

  test('of tickers without any are an empty object', async () => {
    expect((await host.get(`/api/kr/realtime-prices?tickers=${freshTicker()}`)).body).toEqual({ prices: {} });
  });

  test('of a halted ticker have halted: true, and without a price stay 404', async () => {
    const [priced, bare] = [freshTicker(), freshTicker()];
    await quoted(priced, [tick(priced, 10)], 10);
    await host.publish([halt(priced), halt(bare), listed({ ticker: bare, name: 'bare' })]);

    const halted = await host.eventually(
      () => host.get(`/internal/price/${priced}`),
      ({ body }) => body['halted'] === true,
    );

    expect(halted.body).toMatchObject({ price: 10, halted: true });
    expect(await host.get(`/internal/price/${bare}`)).toMatchObject({ status: 404, body: { error_code: 'NOT_FOUND' } });
    await host.eventually(
      async () =>
        ((await host.get('/api/kr/prices/gaps')).body['gaps'] as { ticker: string; reasons: string[] }[]).find(
          (gap) => gap.ticker === bare,
        ),
      (gap) => gap !== undefined && gap.reasons.join() === 'no_quote,halted',
    );
  });

  test('are replaced by a daily close only if its session closed later, and a close by a later tick', async () => {
    const ticker = freshTicker();
    await quoted(ticker, [tick(ticker, 100, { timestamp: `${dateBefore(3)}T00:00:00Z` })], 100);

    await host.publish([daily(ticker, 90, dateBefore(5))]);
    const close = await quoted(ticker, [daily(ticker, 110, dateBefore(2))], 110);
    await host.publish([tick(ticker, 105, { timestamp: `${dateBefore(3)}T05:00:00Z` })]);
    const live = await quoted(ticker, [tick(ticker, 120)], 120);

    expect(close).toMatchObject({ timestamp: dateBefore(2), source: 'daily', bid_price: 110, ask_price: 110, stale: false });
    expect(live).toMatchObject({ source: 'realtime' });
  });

  test('are not changed by an older tick; of two ticks with the same time the later accepted wins', async () => {
    const ticker = freshTicker();
    const at = new Date().toISOString();
    await quoted(ticker, [tick(ticker, 1, { timestamp: at })], 1);

    await host.publish([tick(ticker, 2, { timestamp: '2020-01-01T00:00:00Z' })]);
    await quoted(ticker, [tick(ticker, 3, { timestamp: at })], 3);
    await quoted(ticker, [tick(ticker, 4, { timestamp: at }), tick(ticker, 5, { timestamp: at })], 5);
  });

  test('of a tick stamped far ahead have the time of its acceptance', async () => {
    const ticker = freshTicker();
    const quote = await quoted(ticker, [tick(ticker, 1, { timestamp: '2099-01-01T00:00:00Z' })], 1);
    await quoted(ticker, [tick(ticker, 2, { timestamp: new Date().toISOString() })], 2);

    expect(Date.parse(String(quote['timestamp']))).toBeLessThan(Date.now() + 10_000);
  });
});

describe('the same quote', () => {
  test('is at all four addresses, without a key', async () => {
    const ticker = freshTicker();
    const quote = await quoted(ticker, [tick(ticker, 77)], 77);

    expect((await host.get(`/api/kr/stocks/${ticker}/realtime-price`)).body).toEqual(quote);
    expect(((await host.get(`/api/kr/realtime-prices?tickers=${ticker}`)).body['prices'] as Record<string, unknown>)[ticker]).toEqual(
      quote,
    );
    expect(((await host.get(`/internal/prices?tickers=${ticker}`)).body['prices'] as Record<string, unknown>)[ticker]).toEqual(quote);
    expect(
      (
        await host.eventually(
          () => host.get('/internal/prices'),
          ({ body }) => ticker in (body['prices'] as object),
        )
      ).status,
    ).toBe(200);
  });
});

describe('history', () => {
  test('lists recent ticks in order, or only those after a given time', async () => {
    const ticker = freshTicker();
    const at = (second: number): string => new Date(Date.UTC(2026, 0, 5, 1, 0, second)).toISOString();
    for (const second of [1, 2, 3]) await quoted(ticker, [tick(ticker, second * 10, { timestamp: at(second) })], second * 10);

    expect((await host.get(`/api/kr/stocks/${ticker}/history`)).body['ticks']).toEqual(
      [1, 2, 3].map((second) => ({ timestamp: at(second), price: second * 10 })),
    );
    expect((await host.get(`/api/kr/stocks/${ticker}/history?since=${at(1)}`)).body['ticks']).toEqual(
      [2, 3].map((second) => ({ timestamp: at(second), price: second * 10 })),
    );
    expect((await host.get(`/api/kr/stocks/${ticker}/history?since=monday`)).status).toBe(400);
  });

  test('is bounded', async () => {
    const ticker = freshTicker();
    const start = Date.now() - 3_600_000;
    const ticks = Array.from({ length: 300 }, (_, index) =>
      tick(ticker, index + 1, { timestamp: new Date(start + index * 1000).toISOString() }),
    );
    for (let from = 0; from < ticks.length; from += 50) await quoted(ticker, ticks.slice(from, from + 50), from + 50);

    // concurrent ticks may leave the thinning to the next one
    const history = async (): Promise<number> => {
      await host.publish([tick(ticker, 301)]);
      return ((await host.get(`/api/kr/stocks/${ticker}/history`)).body as unknown as { ticks: unknown[] }).ticks.length;
    };
    expect(await host.eventually(history, (length) => length <= 120)).toBeGreaterThanOrEqual(30);
  });
});

describe('conditional requests', () => {
  test('get 304 while nothing changed and the new quote afterwards; every cache must revalidate', async () => {
    const ticker = freshTicker();
    await quoted(ticker, [tick(ticker, 1)], 1);
    const path = `/api/kr/realtime-prices?tickers=${ticker}`;

    const first = await host.get(path);
    const same = await host.get(path, { 'if-none-match': first.headers.get('etag') ?? '' });
    await quoted(ticker, [tick(ticker, 2)], 2);
    const changed = await host.get(path, { 'if-none-match': first.headers.get('etag') ?? '' });

    expect(first.headers.get('cache-control')).toBe('no-cache');
    expect(same.status).toBe(304);
    expect(changed).toMatchObject({ status: 200, body: { prices: { [ticker]: { price: 2 } } } });
  });
});

describe('bad requests are answered', () => {
  const many = Array.from({ length: 1_400 }, (_, index) => String(index).padStart(6, '0')).join(',');
  test.each([
    ['no tickers', '/api/kr/realtime-prices', 400],
    ['empty tickers', '/api/kr/realtime-prices?tickers=', 400],
    ['only commas', '/api/kr/realtime-prices?tickers=,,,', 400],
    ['a bad ticker', '/api/kr/realtime-prices?tickers=005930,abc', 400],
    ['501 tickers', `/api/kr/realtime-prices?tickers=${many.slice(0, 501 * 7 - 1)}`, 400],
    ['as many as API Gateway lets through', `/api/kr/realtime-prices?tickers=${many}`, 400],
    ['a bad single ticker', '/api/kr/stocks/00593/realtime-price', 400],
    ['an encoded bad ticker', '/internal/price/%00%2e%2e', 400],
    ['a broken escape', '/internal/price/%zz', 400],
    ['an unknown ticker', '/internal/price/QQQQQQ', 404],
    ['history of an unknown ticker', '/api/kr/stocks/QQQQQQ/history', 404],
    ['an unknown path', '/api/kr/nothing', 404],
    ['an unknown path outside the API', '/nothing', 404],
    ['a property of every object as path', '/internal/constructor', 404],
  ])('%s', async (_, path, status) => {
    const answer = await host.get(path);

    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error_code: expect.any(String), error_message: expect.any(String), details: expect.any(Object) });
  });
});

describe('health', () => {
  test('reports the connections, topics, feed and broadcaster', async () => {
    const { status, body } = await host.get('/api/health');

    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ok',
      version: expect.any(String),
      build: expect.any(String),
      connections: expect.any(Number),
      topics: expect.any(Number),
      feed: expect.any(Object),
      broadcaster: expect.any(Object),
    });
  });
});

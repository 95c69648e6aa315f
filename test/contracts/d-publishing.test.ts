/** Publishing over HTTP, by URL (`docs/protocol.md`). */
import { describe, expect, test } from 'vitest';
import { daily, freshTicker, halt, listed, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';

const host = sharedHost();
const priceOf = async (ticker: string): Promise<unknown> => (await host.get(`/internal/price/${ticker}`)).body['price'];
const settled = (ticker: string, price: number) =>
  host.eventually(
    () => priceOf(ticker),
    (value) => value === price,
  );

describe('events', () => {
  test.each(['bus', 'direct'] as const)('are delivered over the lane %s', async (lane) => {
    const ticker = freshTicker();

    await host.publish([tick(ticker, 42)], lane);

    await settled(ticker, 42);
  });

  test('are delivered without a lane in the request', async () => {
    const ticker = freshTicker();

    expect(await host.post('/internal/events', { events: [tick(ticker, 43)] })).toEqual({
      status: 202,
      body: { accepted: 1, rejected: [] },
    });

    await settled(ticker, 43);
  });

  test('with unknown fields are accepted without them', async () => {
    const ticker = freshTicker();

    await host.publish([tick(ticker, 44, { exchange: 'KRX', _accepted: { id: 'forged', time: null, acceptedAtMs: 1, index: 0 } })]);

    await settled(ticker, 44);
    expect(await host.get(`/internal/price/${ticker}`)).not.toHaveProperty('body.exchange');
  });

  test('that are invalid are rejected with their index, and the 499 good ones around it are accepted', async () => {
    const tickers = Array.from({ length: 500 }, freshTicker);
    const events = tickers.map((ticker, index) => (index === 250 ? tick('nonsense', 1) : tick(ticker, index + 1)));

    const { status, body } = await host.post('/internal/events', { events, lane: 'direct' });

    expect(status).toBe(202);
    expect(body).toEqual({
      accepted: 499,
      rejected: [{ index: 250, error_code: 'INVALID_MESSAGE_FORMAT', error_message: expect.stringContaining('detail.ticker') }],
    });
    await settled(tickers[0] as string, 1);
    await settled(tickers[499] as string, 500);
  });

  test('with an id are idempotent: a repeat does not override a later event', async () => {
    const ticker = freshTicker();
    const first = { ...tick(ticker, 1, { timestamp: undefined }), id: `first-${ticker}` };
    await host.publish([first]);
    await settled(ticker, 1);
    await host.publish([tick(ticker, 2, { timestamp: undefined })]);
    await settled(ticker, 2);

    await host.publish([first]);
    await host.publish([tick(`${ticker.slice(0, 5)}Z`, 9)]);
    await settled(`${ticker.slice(0, 5)}Z`, 9);

    expect(await priceOf(ticker)).toBe(2);
  });

  test('take their time from `time` if the detail has none', async () => {
    const ticker = freshTicker();

    await host.publish([{ ...tick(ticker, 5, { timestamp: undefined }), time: '2026-01-02T03:04:05.678Z' }]);

    await settled(ticker, 5);
    expect((await host.get(`/internal/price/${ticker}`)).body['timestamp']).toBe('2026-01-02T03:04:05.678Z');
  });
});

describe('an event', () => {
  const good = tick('005930', 100);
  test.each([
    ['null', null],
    ['a string', 'tick'],
    ['a list', [good]],
    ['no source', { ...good, source: undefined }],
    ['an unknown source', { ...good, source: 'market.bonds' }],
    ['an unknown kind', { ...good, detailType: 'PriceGuessed' }],
    ['a kind that is a property of every object', { ...good, detailType: 'constructor' }],
    ['no detail', { ...good, detail: undefined }],
    ['a detail that is a list', { ...good, detail: [] }],
    ['no price', tick('005930', 1, { price: undefined })],
    ['a price that is a string', tick('005930', 1, { price: '158600' })],
    ['a fractional price', tick('005930', 1, { price: 158_600.5 })],
    ['a negative price', tick('005930', -1)],
    ['a price beyond whole numbers', tick('005930', 1, { price: 1e300 })],
    ['a rate that is null', tick('005930', 1, { change_rate: null })],
    ['a bad ticker', tick('5930', 1)],
    ['an invalid time', tick('005930', 1, { timestamp: 'just now' })],
    ['a time without zone', tick('005930', 1, { timestamp: '2026-02-06T22:48:44' })],
    ['a day that does not exist', daily('005930', 1, '2026-02-30')],
    ['a halt without ticker', halt('')],
    ['an empty list of tickers', listed()],
    ['an id that is too long', { ...good, id: 'x'.repeat(200) }],
    [
      '501 quotes in one',
      { source: 'market.price', detailType: 'PricesTicked', detail: { quotes: Array.from({ length: 501 }, () => good.detail) } },
    ],
  ])('is rejected with a reason: %s', async (_, event) => {
    const { status, body } = await host.post('/internal/events', { events: [event] });

    expect({ status, body }).toEqual({
      status: 202,
      body: { accepted: 0, rejected: [{ index: 0, error_code: expect.any(String), error_message: expect.stringMatching(/.{10}/) }] },
    });
  });
});

describe('requests', () => {
  test.each([
    ['no key', { events: [tick('005930', 1)] }, {}, 401],
    ['a wrong key', { events: [tick('005930', 1)] }, { 'x-api-key': 'local-keys' }, 401],
    ['an empty key', { events: [tick('005930', 1)] }, { 'x-api-key': '' }, 401],
  ])('with %s are refused', async (_, body, headers, status) => {
    const answer = await host.post('/internal/events', body, headers as Record<string, string>);

    expect(answer).toEqual({ status, body: { error_code: 'AUTHENTICATION_REQUIRED', error_message: expect.any(String), details: {} } });
  });

  test.each([
    ['bytes that are not JSON', '{"events":[', 400],
    ['an empty body', '', 400],
    ['a list', [], 400],
    ['no events', {}, 400],
    ['an empty list', { events: [] }, 400],
    ['501 events', { events: Array.from({ length: 501 }, () => tick('005930', 1)) }, 400],
    ['an unknown lane', { events: [tick('005930', 1)], lane: 'fast' }, 400],
    ['more than 1 MB', { events: [tick('005930', 1, { note: 'x'.repeat(1_100_000) })] }, 413],
  ])('with %s are refused with an error body', async (_, body, status) => {
    const answer = await host.post('/internal/events', body);

    expect(answer).toEqual({
      status,
      body: { error_code: expect.any(String), error_message: expect.any(String), details: expect.any(Object) },
    });
  });

  test('from another origin are allowed by CORS', async () => {
    const response = await fetch(`${host.url}/api/kr/realtime-prices?tickers=005930`, {
      method: 'OPTIONS',
      headers: { origin: 'https://charts.example', 'access-control-request-method': 'GET' },
    });

    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toContain('last-event-id');
  });
});

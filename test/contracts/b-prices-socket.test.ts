/** Prices over the WebSocket, by URL (`docs/protocol.md`): the exchange of a chart page. */
import { describe, expect, test } from 'vitest';
import { ofType } from '../helpers/client.ts';
import { freshTicker, halt, listed, resume, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { shortLived } from '../helpers/short-lived.ts';

const host = sharedHost();
const dial = shortLived();
const client = (options?: Parameters<typeof dial>[1]) => dial(host.url, options);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('greeting', () => {
  test('comes without a request', async () => {
    const chart = await client();

    expect(await chart.next()).toEqual({
      type: 'connected',
      client_id: expect.stringMatching(UUID),
      message: 'WebSocket connection established',
      data: {},
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
  });

  test('comes once, before the first reply, however fast the client sends', async () => {
    const chart = await client();

    for (let index = 0; index < 20; index++) chart.send({ type: 'subscribe', topic: `price:GREET${index.toString(36).toUpperCase()}` });
    for (let replies = 0; replies < 20; ) if ((await chart.next())['type'] === 'subscribed') replies++;

    expect(chart.received[0]?.['type']).toBe('connected');
    expect(chart.received.filter(ofType('connected'))).toHaveLength(1);
  });
});

describe('subscribe', () => {
  test('is answered with subscribed, then at once the current quote, then updates', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 158_600, { timestamp: '2026-02-06T22:48:44.590151+00:00' })]);
    await host.eventually(
      () => host.get(`/internal/price/${ticker}`),
      ({ status }) => status === 200,
    );
    const chart = await client();
    await chart.next();

    chart.send({ type: 'subscribe', topic: `price:${ticker}` });
    const subscribed = await chart.next();
    const snapshot = await chart.next();
    await host.publish([tick(ticker, 158_700)]);
    const update = await chart.next();

    expect(subscribed).toEqual({
      type: 'subscribed',
      topic: `price:${ticker}`,
      message: `Subscribed to price:${ticker}`,
      data: {},
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      position: expect.stringMatching(/^[0-9a-z]+-1$/),
    });
    expect(snapshot).toEqual({
      type: 'price_update',
      ticker,
      data: {
        price: 158_600,
        change: -700,
        change_rate: -0.4394224733207784,
        volume: 36_358_081,
        bid_price: 158_600,
        ask_price: 158_600,
        stale: true,
      },
      timestamp: '2026-02-06T22:48:44.590151+00:00',
      position: subscribed['position'],
    });
    expect(update).toEqual({
      type: 'price_update',
      ticker,
      data: { price: 158_700, change: -700, change_rate: -0.4394224733207784, volume: 36_358_081, bid_price: 158_700, ask_price: 158_700 },
      timestamp: expect.any(String),
      position: expect.stringMatching(/-2$/),
    });
  });

  test('to a ticker without quote is answered with subscribed at offset 0, and nothing more until a tick comes', async () => {
    const ticker = freshTicker();
    const chart = await client();
    await chart.next();

    chart.send({ type: 'subscribe', topic: `price:${ticker}` });
    const subscribed = await chart.next();
    await chart.quiet(ofType('price_update'));
    await host.publish([tick(ticker, 9_730)]);

    expect(subscribed['position']).toMatch(/^[0-9a-z]+-0$/);
    expect((await chart.until(ofType('price_update')))['data']).toMatchObject({ price: 9_730 });
  });

  test('to the same topic again is answered again and delivers the quote again', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 100)]);
    await host.eventually(
      () => host.get(`/internal/price/${ticker}`),
      ({ status }) => status === 200,
    );
    const chart = await client();

    chart.send({ type: 'subscribe', topic: `price:${ticker}` });
    await chart.until(ofType('price_update'));
    chart.send({ type: 'subscribe', topic: `price:${ticker}` });

    expect(await chart.next()).toMatchObject({ type: 'subscribed', topic: `price:${ticker}` });
    expect(await chart.next()).toMatchObject({ type: 'price_update', data: { price: 100 } });
  });

  test('to several topics is answered for each in order, with one error for the impossible ones', async () => {
    const [one, two] = [freshTicker(), freshTicker()];
    const chart = await client();
    await chart.next();

    chart.send({ type: 'subscribe', topics: [`price:${one}`, 'price:no', `price:${two}`, 'weather:seoul'] });

    expect(await chart.next()).toMatchObject({ type: 'subscribed', topic: `price:${one}` });
    expect(await chart.next()).toMatchObject({ type: 'subscribed', topic: `price:${two}` });
    expect(await chart.next()).toMatchObject({
      type: 'error',
      data: { error_code: 'INVALID_MESSAGE_FORMAT', details: { topics: ['price:no', 'weather:seoul'] } },
    });
  });

  test('to 50 tickers at once is answered for each, as a chart page needs', async () => {
    const tickers = Array.from({ length: 50 }, freshTicker);
    const chart = await client();

    for (const ticker of tickers) chart.send({ type: 'subscribe', topic: `price:${ticker}` });
    const answered = new Set<unknown>();
    while (answered.size < 50) answered.add((await chart.until(ofType('subscribed')))['topic']);

    expect(chart.received.filter(ofType('error'))).toEqual([]);
  });

  test('with the newest position gets recovered: true and no repeat; with an older one it gets the newest quote', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 1)]);
    await host.eventually(
      () => host.get(`/internal/price/${ticker}`),
      ({ status }) => status === 200,
    );
    const first = await client();
    first.send({ type: 'subscribe', topic: `price:${ticker}` });
    const had = await first.until(ofType('price_update'));
    const back = await client();
    await back.next();

    back.send({ type: 'subscribe', topic: `price:${ticker}`, since: had['position'] });
    const same = await back.next();
    await back.quiet(ofType('price_update'));
    await host.publish([tick(ticker, 2)]);
    await back.until(ofType('price_update'));
    const later = await client();
    await later.next();
    later.send({ type: 'subscribe', topic: `price:${ticker}`, since: { [`price:${ticker}`]: had['position'] } });

    expect(same).toMatchObject({ type: 'subscribed', recovered: true, position: had['position'] });
    expect(await later.next()).toMatchObject({ type: 'subscribed', recovered: false });
    expect(await later.next()).toMatchObject({ type: 'price_update', data: { price: 2 } });
  });
});

describe('unsubscribe', () => {
  test('is answered with unsubscribed and stops the updates', async () => {
    const ticker = freshTicker();
    const [chart, other] = [await client(), await client()];
    for (const one of [chart, other]) {
      one.send({ type: 'subscribe', topic: `price:${ticker}` });
      await one.until(ofType('subscribed'));
    }

    chart.send({ type: 'unsubscribe', topic: `price:${ticker}` });
    const answer = await chart.next();
    await host.publish([tick(ticker, 5)]);
    await other.until(ofType('price_update'));

    expect(answer).toEqual({
      type: 'unsubscribed',
      topic: `price:${ticker}`,
      message: `Unsubscribed from price:${ticker}`,
      data: {},
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    await chart.quiet(ofType('price_update'));
  });
});

describe('halts', () => {
  test('are pushed as halted: true, and resumptions as halted: false', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 70)]);
    const chart = await client();
    chart.send({ type: 'subscribe', topic: `price:${ticker}` });
    await chart.until(ofType('price_update'));

    await host.publish([halt(ticker, { timestamp: '2026-01-01T00:00:00Z' })]);
    const halted = await chart.until(ofType('price_update'));
    await host.publish([resume(ticker)]);
    const resumed = await chart.until(ofType('price_update'));

    expect(halted['data']).toMatchObject({ price: 70, halted: true });
    expect(resumed['data']).toMatchObject({ price: 70, halted: false });
  });
});

describe('a list of quotes in one event', () => {
  test('is delivered as one update per ticker', async () => {
    const tickers = [freshTicker(), freshTicker(), freshTicker()];
    const chart = await client();
    chart.send({ type: 'subscribe', topics: tickers.map((ticker) => `price:${ticker}`) });
    for (const _ of tickers) await chart.until(ofType('subscribed'));

    await host.publish(
      [
        listed(...tickers.map((ticker) => ({ ticker, name: ticker }))),
        {
          source: 'market.price',
          detailType: 'PricesTicked',
          detail: { quotes: tickers.map((ticker, index) => tick(ticker, 100 + index).detail) },
        },
      ],
      'bus',
    );
    const updates = [
      await chart.until(ofType('price_update')),
      await chart.until(ofType('price_update')),
      await chart.until(ofType('price_update')),
    ];

    expect(new Set(updates.map((update) => update['ticker']))).toEqual(new Set(tickers));
  });
});

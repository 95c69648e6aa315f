/** An account without room for more executions: what was accepted waits, and is not given up. */
import { afterEach, describe, expect, test } from 'vitest';
import type { LocalQueue } from '../../local/resources/queue.ts';
import { type Client, connect, ofType } from '../helpers/client.ts';
import { freshId, rank, tick } from '../helpers/events.ts';
import { deadLettersOf, type OwnRun, ownRun, runWith } from '../helpers/local.ts';
import { readStream } from '../helpers/sse.ts';

/** How long a message that a function did not take stays invisible. */
const VISIBILITY_MS = 35_000;
/** Receives before a message is given up, less one. */
const ROUNDS = 99;

let own: OwnRun;
afterEach(() => own.run.stop());

const jobs = (): LocalQueue => {
  const queue = [...own.run.queues.values()].find(({ name, onVisible }) => name.includes('Jobs') && onVisible !== null);
  if (!queue) throw new Error('there is no jobs queue');
  return queue;
};
const priceOf = ({ data }: Record<string, unknown>): number | undefined => (data as { price?: number } | undefined)?.price;

/** Tries again whenever the run is idle, as clients and publishers do a little later. */
async function atLast<Value>(attempt: () => Promise<Value | null>): Promise<Value> {
  for (let tries = 0; tries < 50; tries++) {
    const value = await attempt().catch(() => null);
    if (value !== null) return value;
    await own.run.settled();
  }
  throw new Error('not in 50 tries');
}

describe('functions that are throttled', () => {
  test.each(['ingest', 'fan-out'])('for 58 minutes give up nothing: %s', async (name) => {
    // a front door would end a connection to which nothing is sent for that long
    own = await runWith({ FRONT_DOOR: 'off' });
    const client = await connect(own.url);
    client.send({ type: 'subscribe', topic: 'price:005930' });
    await client.until(ofType('subscribed'));
    // lets a greeting that was put back run first: it is not part of this test
    own.run.clock.advance(10_000);
    await own.run.settled();
    own.run.levers.concurrency.functions.set(name, 0);
    await own.publish([tick('005930', 1000)]);
    if (name === 'fan-out') {
      await client.until((message) => priceOf(message) === 1000, 'the price');
      jobs().send(JSON.stringify({ kind: 'drain', topic: 'price:005930', shard: 0, repeat: true }));
    }
    await own.run.settled();
    expect(own.run.pending()).toBe(1);

    for (let round = 1; round < ROUNDS; round++) {
      own.run.clock.advance(VISIBILITY_MS);
      await own.run.settled();
      client.send({ type: 'pong' });
    }
    own.run.levers.concurrency.functions.clear();
    own.run.clock.advance(VISIBILITY_MS);
    await own.run.settled();

    await client.until((message) => priceOf(message) === 1000, 'the price');
    expect(deadLettersOf(own.run)).toEqual([]);
    expect(own.run.pending()).toBe(0);
    await client.close();
  });

  test('answer callers with 503, and say so to clients', async () => {
    own = await ownRun();
    const client = await connect(own.url);
    await client.next();
    own.run.levers.concurrency.account = 0;

    expect(await own.get('/api/health')).toMatchObject({ status: 503, body: { message: 'Service Unavailable' } });
    client.send({ type: 'subscribe', topic: 'price:005930' });
    expect(await client.next()).toMatchObject({ message: 'Internal server error' });
    await expect(connect(own.url)).rejects.toThrow();

    own.run.levers.concurrency.account = 10;
    expect(await own.get('/api/health')).toMatchObject({ status: 200 });
    client.send({ type: 'subscribe', topic: 'price:005930' });
    await client.until(ofType('subscribed'));
    await client.close();
  });
});

test('what can never be a job is buried at once, with the reason, by every function with a queue', async () => {
  own = await ownRun();
  const taken = [...own.run.queues.values()].filter(({ onVisible }) => onVisible !== null);
  for (const queue of taken) queue.send('no JSON');
  await own.run.settled();

  const buried = deadLettersOf(own.run);
  expect(buried.map(({ body }) => body)).toEqual(taken.map(() => 'no JSON'));
  const reasons = buried.map(({ attributes }) => (attributes['reason'] as { StringValue?: string }).StringValue);
  expect(reasons.toSorted()).toEqual(['expected JSON', 'not JSON', 'not JSON', 'not JSON']);
  expect(own.run.pending()).toBe(0);
});

describe('an account with ten executions', () => {
  const TICKERS = Array.from({ length: 8 }, (_, index) => String(100_000 + index));

  const subscribe = async (client: Client, ticker: string): Promise<true | null> => {
    client.send({ type: 'subscribe', topic: `price:${ticker}` });
    const { type } = await client.until(({ type: one, message }) => one === 'subscribed' || message === 'Internal server error');
    return type === 'subscribed' || null;
  };
  const publish = (price: number) => own.publish(TICKERS.map((ticker) => tick(ticker, price))).then(() => true);

  test('serves streams, clients and a burst of events', { timeout: 60_000 }, async () => {
    own = await runWith({ ACCOUNT_CONCURRENCY: '10', SSE_MAX_STREAMS: '5' });
    const { run } = own;
    const [concertId, userIds] = [freshId(), [freshId(), freshId(), freshId()]];
    const path = (userId: number) => `/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=${concertId}`;
    run.levers.concurrency.account = 10;
    const streams = await Promise.all(userIds.map((userId) => readStream(own.url + path(userId))));
    const clients = await Promise.all(Array.from({ length: 8 }, () => atLast(() => connect(own.url))));
    for (const client of clients) for (const ticker of TICKERS) await atLast(() => subscribe(client, ticker));

    const prices = Array.from({ length: 8 }, (_, index) => 1_000 + index);
    await Promise.all(prices.map((price) => atLast(() => publish(price))));
    await atLast(() => publish(2_000));
    await atLast(() => own.publish(userIds.map((userId) => rank(concertId, userId, 3))).then(() => true));
    for (let rounds = 0; run.pending() > 0; rounds++) {
      expect(rounds).toBeLessThan(20);
      await run.settled();
      run.clock.advance(VISIBILITY_MS / 2);
    }

    expect(own.logs.filter((line) => line.includes('Rate Exceeded')).length).toBeGreaterThan(0);
    for (const client of clients) {
      const newest = new Map(client.received.filter(ofType('price_update')).map((message) => [message['ticker'], priceOf(message)]));
      expect(TICKERS.map((ticker) => newest.get(ticker))).toEqual(TICKERS.map(() => 2_000));
    }
    for (const stream of streams) expect(await stream.toEnd()).toContain('"rank":3');
    expect(deadLettersOf(own.run)).toEqual([]);
    await Promise.all(clients.map((client) => client.close()));
  });
});

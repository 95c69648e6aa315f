/** A partition takes only so many writes a second, and a topic is one: what is throttled comes back, and nothing is lost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, connect, ofType } from '../helpers/client.ts';
import { alert, tick } from '../helpers/events.ts';
import { deadLettersOf, type OwnRun, ownRun } from '../helpers/local.ts';

const WRITES_PER_SECOND = 15;
const REQUESTS = 10;
const EVENTS = 4;
/** Longer than a failed record stays invisible. */
const VISIBILITY_MS = 36_000;

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

async function deliverAll(client: Client): Promise<void> {
  await own.run.settled();
  for (let rounds = 0; own.run.pending() > 0; rounds++) {
    expect(rounds).toBeLessThan(40);
    own.run.clock.advance(VISIBILITY_MS);
    client.send({ type: 'pong' });
    await own.run.settled();
  }
}

test('of a ticker that ticks faster than its items can be written, clients end on the newest', async () => {
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: 'price:005930' });
  await client.until(ofType('subscribed'));
  own.run.levers.tables.partitionWrites = WRITES_PER_SECOND;
  const ticks = Array.from({ length: REQUESTS * EVENTS }, (_, index) => tick('005930', 1_000 + index, { timestamp: stampOf(index) }));
  await Promise.all(Array.from({ length: REQUESTS }, (_, request) => own.publish(ticks.slice(request * EVENTS, (request + 1) * EVENTS))));
  await deliverAll(client);

  const prices = client.received.filter(ofType('price_update')).map(({ data }) => (data as { price: number }).price);
  expect(prices.at(-1)).toBe(1_000 + ticks.length - 1);
  expect(prices).toEqual([...prices].sort((a, b) => a - b));
  expect(own.run.levers.tables.throttledWrites).toBeGreaterThan(0);
  expect(deadLettersOf(own.run)).toEqual([]);
  await client.close();
});

test('of a log that grows faster than its items can be written, clients get each message once', async () => {
  const client = await connect(own.url);
  client.send({ type: 'subscribe', data: { event_types: ['alert'] } });
  await client.until(ofType('subscribed'));
  own.run.levers.tables.partitionWrites = WRITES_PER_SECOND;
  const alerts = Array.from({ length: REQUESTS * EVENTS }, (_, index) => alert({ title: `alert ${index}` }));
  await Promise.all(Array.from({ length: REQUESTS }, (_, request) => own.publish(alerts.slice(request * EVENTS, (request + 1) * EVENTS))));
  await deliverAll(client);

  const got = new Map(
    client.received.filter(ofType('alert')).map((message) => [message['position'], (message['data'] as { title: string }).title]),
  );
  expect(new Set(got.values()).size).toBe(alerts.length);
  expect(got.size).toBe(alerts.length);
  expect(own.run.levers.tables.throttledWrites).toBeGreaterThan(0);
  expect(deadLettersOf(own.run)).toEqual([]);
  await client.close();
});

const stampOf = (index: number): string => new Date(Date.now() - 10_000 + index).toISOString();

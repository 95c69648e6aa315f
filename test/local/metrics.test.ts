/** `/local/metrics`: the metrics that a deployment has in CloudWatch, with the figures that a test can compute itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDemo } from '../../local/demo/demo.ts';
import { makeJournal } from '../../local/demo/journal.ts';
import { startOperations } from '../../local/demo/operations.ts';
import { METRICS } from '../../scripts/cost/usage.ts';
import { type Client, connect, ofType } from '../helpers/client.ts';
import { freshTicker, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';

interface Told {
  metrics: {
    namespace: string;
    name: string;
    dimensions: Record<string, string>;
    points: { sum: number; count: number; maximum: number }[];
  }[];
  alarms: { name: string; state: string }[];
}

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

const told = async (run: OwnRun = own) => (await run.get('/local/metrics')).body as unknown as Told;
const sumOf = ({ metrics }: Told, name: string, dimensions: Record<string, string> = {}): number =>
  metrics
    .filter((one) => one.name === name && Object.entries(dimensions).every(([key, value]) => one.dimensions[key]?.startsWith(value)))
    .flatMap(({ points }) => points)
    .reduce((sum, point) => sum + point.sum, 0);

test('ten minutes of clients and events are counted as they were', async () => {
  const ticker = freshTicker();
  const clients = await Promise.all(Array.from({ length: 3 }, () => connect(own.url)));
  for (const client of clients) {
    client.send({ type: 'subscribe', topic: `price:${ticker}` });
    await client.until(ofType('subscribed'));
  }
  for (let minute = 0; minute < 10; minute++) {
    await own.publish([tick(ticker, 100 + minute)]);
    for (const client of clients) await client.until(ofType('price_update'));
    own.run.clock.advance(60_000);
    await own.run.settled();
  }

  const seen = await told();
  const live = seen.metrics.find(({ name }) => name === 'LiveConnections')?.points ?? [];
  expect(live.map(({ maximum }) => maximum).at(-1)).toBe(3);
  // a subscribe of each client
  expect(sumOf(seen, 'MessagesIn')).toBe(3);
  // ten prices for each; what else they got are greetings, replies and pings
  const delivered = sumOf(seen, 'MessagesOut', { service: 'ingest' }) + sumOf(seen, 'MessagesOut', { service: 'fan-out' });
  const pings = clients.reduce((sum, { received }) => sum + received.filter(ofType('ping')).length, 0);
  expect(delivered).toBe(3 * 10 + pings);
  expect(sumOf(seen, 'Posts', { service: 'ingest' })).toBe(sumOf(seen, 'MessagesOut', { service: 'ingest' }));
  expect(sumOf(seen, 'Errors')).toBe(0);
  expect(sumOf(seen, 'Invocations', { FunctionName: 'Schedulessweep' })).toBeGreaterThanOrEqual(9);
  expect(sumOf(seen, 'ConnectCount')).toBe(3);
  const durations = seen.metrics.filter(({ name }) => name === 'Duration').flatMap(({ points }) => points);
  expect(durations.reduce((sum, { count }) => sum + count, 0)).toBe(sumOf(seen, 'Invocations'));
  const answers = seen.metrics.filter(({ name }) => name === 'AnswerTime').flatMap(({ points }) => points);
  expect(answers.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  expect(seen.alarms.filter(({ state }) => state === 'ALARM')).toEqual([]);
  for (const client of clients) await client.close();
});

test('ten minutes of the demo are counted as its clients saw them', { timeout: 90_000 }, async () => {
  const demo = await ownRun();
  const { run } = demo;
  const clients: Client[] = [];
  for (const topics of [['price:005930'], ['price:000660', 'ops:status_update'], ['ops:alert', 'ops:status_update', 'price:035420']]) {
    const client = await connect(demo.url);
    client.send({ type: 'subscribe', topics });
    for (const _ of topics) await client.until(ofType('subscribed'));
    clients.push(client);
  }
  let rounds = 0;
  const clock: Pick<typeof run.clock, 'now' | 'after'> = {
    now: run.clock.now,
    after(ms, callback) {
      rounds += 1;
      return run.clock.after(ms, callback);
    },
  };
  const warnings: string[] = [];
  const options = { url: demo.url, key: demo.key, warn: (text: string) => void warnings.push(text), clock };
  const stops = [startDemo(options), startOperations({ ...options, journal: makeJournal(), services: run.functions })];
  const steps = 60;
  for (let step = 1; step <= steps; step++) {
    await demo.eventually(
      async () => rounds,
      (count) => count >= 2 * step,
    );
    await run.settled();
    run.clock.advance(600_000 / steps);
  }
  await Promise.all(stops.map((stop) => stop()));
  await run.settled();
  run.clock.advance(60_000);
  await run.settled();

  const seen = await told(demo);
  const received = clients.flatMap((client) => client.received);
  const bytes = received.reduce((sum, message) => sum + Buffer.byteLength(JSON.stringify(message)), 0);
  expect(warnings).toEqual([]);
  expect(received.filter(ofType('price_update')).length).toBeGreaterThan(20);
  expect(received.filter(ofType('status_update')).length).toBeGreaterThan(2 * 30);
  expect(sumOf(seen, 'MessagesOut')).toBe(received.length);
  expect(sumOf(seen, 'BytesOut')).toBe(bytes);
  // a post carries one message
  expect(sumOf(seen, 'Posts') / sumOf(seen, 'MessagesOut')).toBe(1);
  // a subscribe of each
  expect(sumOf(seen, 'MessagesIn')).toBe(clients.length);
  expect(sumOf(seen, 'Errors')).toBe(0);
  const points = (name: string) => seen.metrics.filter((one) => one.name === name).flatMap((one) => one.points);
  expect(points('LiveConnections').at(-1)?.maximum).toBe(clients.length);
  const counted = (name: string) => points(name).reduce((sum, { count }) => sum + count, 0);
  expect(counted('AnswerTime')).toBe(clients.length);
  expect(counted('Duration')).toBe(sumOf(seen, 'Invocations'));
  // the cost page charges for as many, each a metric of one function
  const own = seen.metrics.filter(({ namespace }) => namespace === 'RealtimePush');
  const minutely = own.filter(({ dimensions }) => ['sweep', 'minute'].includes(dimensions['service'] ?? ''));
  expect([minutely.length, own.length - minutely.length]).toEqual([METRICS.idle, METRICS.traffic]);
  for (const client of clients) await client.close();
  await run.stop();
});

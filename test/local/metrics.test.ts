/** `/local/metrics`: the metrics that a deployment has in CloudWatch, with the figures that a test can compute itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
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

const told = async () => (await own.get('/local/metrics')).body as unknown as Told;
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

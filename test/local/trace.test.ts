/** `npm run trace`: the true story of an event, from the functions' logs. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshId, freshTicker, type PublishedEvent, settled, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { PROCESS_MS } from '../helpers/within.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

const run = promisify(execFile);
/** The story without its times. */
async function trace(...words: string[]): Promise<string[]> {
  const env = { ...process.env, AWS_PORT: new URL(own.run.awsUrl).port };
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', 'bin/trace.ts', ...words], { env, timeout: PROCESS_MS }).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  return `${stdout}${stderr}`
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\S+Z {2}/, ''));
}
async function published(event: PublishedEvent, lane: 'bus' | 'direct' = 'direct'): Promise<string> {
  const id = randomUUID();
  await own.post('/internal/events', { events: [{ ...event, id }], lane });
  await own.run.settled();
  return id;
}
async function subscribed(topic: string) {
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic });
  await client.until(ofType('subscribed'));
  await own.run.settled();
  return client;
}

test('an event that was delivered, and one that was older', async () => {
  const ticker = freshTicker();
  const clients = [await subscribed(`price:${ticker}`), await subscribed(`price:${ticker}`)];
  const [older, newer] = [tick(ticker, 1), tick(ticker, 2)];
  const id = await published(newer, 'bus');
  for (const client of clients) await client.until(ofType('price_update'));

  expect(await trace(id)).toEqual([
    'accepted, on the lane bus',
    expect.stringMatching(new RegExp(`^price:${ticker}: committed as \\w+-1$`)),
    `price:${ticker}: 2 posted`,
  ]);
  const late = await published({ ...older, detail: { ...older.detail, timestamp: '2020-01-01T00:00:00Z' } });
  expect(await trace(late)).toEqual([
    'accepted, on the lane direct',
    `price:${ticker}: not committed, older than what is there, or the same`,
  ]);
  for (const client of clients) await client.close();
});

test('one that was invalid, over HTTP and from the bus', async () => {
  const { source, detailType } = tick(freshTicker(), 1);
  const id = await published({ source, detailType, detail: { ticker: 'no ticker' } });
  expect(await trace(id)).toEqual([expect.stringMatching(/^rejected: .*ticker/)]);

  const events = [...own.run.queues.values()].find(({ name }) => name.startsWith('IngestEventsQueue'));
  const onBus = randomUUID();
  events?.send(JSON.stringify({ id: onBus, source, 'detail-type': detailType, time: new Date().toISOString(), detail: {} }));
  await own.run.settled();
  expect(await trace(onBus)).toEqual([expect.stringMatching(/^invalid, and in the dead letters: /)]);
});

test('one whose reader was gone, and one that nobody reads', async () => {
  const [userId, seatId] = [freshId(), freshId()];
  const topic = `/topic/reservations/${seatId}/${userId}`;
  const client = await subscribed(topic);
  own.run.levers.loseDisconnects = 1;
  await client.close();
  const id = await published(settled(seatId, userId, 'SUCCESS'));
  own.run.levers.loseDisconnects = 0;

  expect(await trace(id)).toEqual([
    'accepted, on the lane direct',
    expect.stringMatching(new RegExp(`^${topic}: committed as \\w+-1$`)),
    `${topic}: 0 posted, 1 gone`,
  ]);
  const other = freshId();
  const unread = await published(settled(seatId, other, 'FAIL'));
  expect((await trace(unread)).at(-1)).toMatch(/committed as \w+-1; nobody is subscribed$/);
});

test('one whose reader was throttled gets there late', async () => {
  const ticker = freshTicker();
  const client = await subscribed(`price:${ticker}`);
  own.run.levers.throttlePosts = 1;
  const id = await published(tick(ticker, 3));
  own.run.levers.throttlePosts = 0;
  own.run.clock.advance(5_000);
  await client.until(ofType('price_update'));
  await own.run.settled();

  expect((await trace(id)).slice(2)).toEqual([`price:${ticker}: 0 posted, 1 throttled, and late`, `price:${ticker}: 1 posted`]);
  await client.close();
});

test('an id that nobody knows is said to be unknown', async () => {
  expect((await trace('nothing-such')).join()).toContain('nothing is known of nothing-such in the last 60 minutes');
  expect((await trace()).join()).toContain('expected one id');
});

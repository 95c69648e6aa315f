/**
 * A local run under rounds of a thousand events, with clients that come, err and go. Its memory must not grow with the
 * events: the heap of each thread is measured after a collection, and the tables apart, since logs live for a day.
 * `ROUNDS` sets the length.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TTL_DELAY_MS } from '../../local/resources/time-to-live.ts';
import type { Heaps } from '../../local/run.ts';
import { connect } from '../helpers/client.ts';
import { activated, alert, log, logEntry, type PublishedEvent, rank, service, settled, status, tick } from '../helpers/events.ts';
import { itemsOf, type OwnRun, ownRun } from '../helpers/local.ts';
import { readStream } from '../helpers/sse.ts';
import { connected, frame } from '../helpers/stomp.ts';

const ROUNDS = Number(process.env['ROUNDS'] || 60);
/** Compiled code and caches come first. */
const WARM_UP = 6;
const DAY_MS = 86_400_000;
/** A thread may grow by so much for each thousand events: the measuring's noise, and code that is compiled the more it runs. */
const NOISE_BYTES = 60_000 + 500_000 / ROUNDS;
/** The tables may grow by the logs, which live for a day: some 250 items for each thousand events. */
const LOG_BYTES = 900_000;

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun({ settleMs: 10 * 60_000, lines: 100 });
});
afterAll(() => own.run.stop());

const TICKERS = Array.from({ length: 40 }, (_, index) => String(index).padStart(6, '0'));
const USERS = Array.from({ length: 20 }, (_, index) => index + 1);
const pick = <Item>(list: readonly Item[], index: number): Item => list[index % list.length] as Item;

const eventAt = (index: number): PublishedEvent => {
  const user = pick(USERS, index);
  if (index % 10 < 5) return tick(pick(TICKERS, index), 1_000 + (index % 900));
  if (index % 10 < 7) return index % 20 === 5 ? activated(1, user, 60) : rank(1, user, index % 500);
  if (index % 10 === 7) return settled(user, user, 'SUCCESS');
  if (index % 10 === 8) return index % 20 === 8 ? alert({ title: `alert ${index}` }) : service({ message: `${index}` });
  return index % 20 === 9 ? log({ entries: [logEntry('INFO', `line ${index}`)] }) : status({ uptime: index });
};

/** Clients of every kind, for one round: some ask for what they may not, and one leaves without a word. */
async function visitors(round: number): Promise<() => Promise<void>> {
  const json = await Promise.all(Array.from({ length: 8 }, () => connect(own.url)));
  for (const [index, client] of json.entries()) {
    client.send({ type: 'client_info', data: { client_id: `soak-${round}-${index}` } });
    client.send({ type: 'subscribe', topics: TICKERS.slice(index, index + 20).map((ticker) => `price:${ticker}`) });
    client.send({ type: 'subscribe', topic: 'nowhere' });
    client.send('no JSON at all');
    client.send({ type: 'unsubscribe', topic: `price:${pick(TICKERS, index)}` });
  }
  const stomp = await Promise.all(USERS.slice(0, 4).map(() => connected(own.url)));
  for (const [index, client] of stomp.entries())
    client.send(frame('SUBSCRIBE', { id: `s${round}`, destination: `/topic/waiting-queue/1/${index + 1}` }));
  const streams = await Promise.all(
    USERS.slice(0, 4).map((user) => readStream(`${own.url}/api/v1/waiting-queue/subscribe?userId=${user}&concertId=1`)),
  );
  return async () => {
    json[0]?.socket.terminate();
    for (const client of stomp) client.close();
    await Promise.all([...json.map((client) => client.close()), ...streams.map((stream) => stream.close())]);
  };
}

let serial = 0;
async function round(index: number): Promise<void> {
  const leave = await visitors(index);
  for (let post = 0; post < 10; post++)
    await own.publish(
      Array.from({ length: 100 }, () => eventAt(serial++)),
      post % 2 === 0 ? 'direct' : 'bus',
    );
  await own.run.settled();
  await leave();
  await own.run.settled();
}

/** Bytes of the tables' items as JSON, and of those among them that had not expired at that time. */
async function tableBytes(atMs = own.run.clock.now()): Promise<{ live: number; all: number }> {
  const items = await itemsOf(own.run);
  const bytes = (some: readonly object[]): number => some.reduce((sum, item) => sum + JSON.stringify(item).length, 0);
  return { all: bytes(items), live: bytes(items.filter(({ expiresAt }) => expiresAt === undefined || Number(expiresAt) * 1000 >= atMs)) };
}

/** The growth of a round that is typical: the median of all pairs, which a single jump does not move. */
function slopeOf(values: readonly number[]): number {
  const slopes = values.flatMap((value, later) => values.slice(0, later).map((before, index) => (value - before) / (later - index)));
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
}

const mb = (bytes: number): string => (bytes / 1_048_576).toFixed(1).padStart(7);

test('the heap does not grow with the events, and the tables by their logs alone', async () => {
  for (let index = 0; index < WARM_UP; index++) {
    await round(index);
    // they run once a minute: on a slow machine in some of the rounds below, and their code must be compiled by then
    for (const name of ['sweep', 'minute']) await own.run.invoke(name);
  }
  const heaps: Heaps[] = [];
  console.log('events      own  functions   tables   (MB of live objects)');
  for (let index = 0; index < ROUNDS; index++) {
    await round(WARM_UP + index);
    const now = await own.run.heaps();
    heaps.push(now);
    const functions = Object.values(now.functions).reduce((sum, bytes) => sum + bytes, 0);
    console.log(`${String(serial).padStart(6)}  ${mb(now.own)}    ${mb(functions)}  ${mb(now.tables)}`);
  }

  const growth = {
    own: slopeOf(heaps.map(({ own: bytes }) => bytes)),
    ...Object.fromEntries(
      Object.keys(heaps[0]?.functions ?? {}).map((name) => [name, slopeOf(heaps.map(({ functions }) => functions[name] ?? 0))]),
    ),
  };
  console.log(
    'bytes for each thousand events:',
    Object.fromEntries(Object.entries(growth).map(([name, bytes]) => [name, Math.round(bytes)])),
  );
  expect(Object.entries(growth).filter(([, bytes]) => bytes > NOISE_BYTES)).toEqual([]);
  expect(slopeOf(heaps.map(({ tables }) => tables))).toBeLessThan(LOG_BYTES);
});

test('what a day leaves does not depend on what happened in it', async () => {
  const daily = async (): Promise<{ live: number; all: number }> => {
    own.run.clock.advance(3 * DAY_MS);
    await own.run.settled();
    await own.run.invoke('sweep');
    // a stream counts itself out when it notices the time, and its count is long over then
    return own.eventually(
      async () => {
        const deletedTo = own.run.clock.now() - TTL_DELAY_MS;
        await own.run.expire();
        return tableBytes(deletedTo);
      },
      ({ all, live }) => all === live,
    );
  };
  await round(serial);
  const first = await daily();
  for (let index = 0; index < 2; index++) await round(serial);
  const full = await tableBytes();
  const heapFull = (await own.run.heaps()).tables;
  const second = await daily();
  const heapAfter = (await own.run.heaps()).tables;

  console.log(
    'bytes after a day, at its end, and after the next:',
    first,
    full,
    second,
    'heap of the tables:',
    mb(heapFull),
    mb(heapAfter),
  );
  // a ticker's recent points are between 60 and 90
  expect(second.all).toBeLessThan(first.all * 1.3);
  expect(second.all).toBeLessThan(full.all / 2);
  expect(heapAfter).toBeLessThan(heapFull);
});

/**
 * Clients of the library over log topics, while the server is killed and started again on its data, five times, under a
 * steady stream of events. Nobody misses or doubles anything, reconnects spread, and memory stays flat. `CLIENTS` sets how
 * many; `CLIENTS=1000` is what a release is measured with.
 */
import { afterAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type Client, createClient, type SocketClass } from '../../client/index.ts';
import { type PublishedEvent, settled } from '../helpers/events.ts';
import { hostAt } from '../helpers/host.ts';
import { dataFolder, type Started, start, stopAll } from '../helpers/start.ts';

const CLIENTS = Number(process.env['CLIENTS'] || 150);
const TOPICS = 50;
const RESTARTS = 5;
/** Events a second, in all, and how long each server is up at least. */
const RATE = 50;
const UP_SECONDS = Number(process.env['UP_SECONDS'] || 8);
/** Time for all to return, in ms: two cores that also carry the events and the clients admit a few a second. */
const BACK_MS = Math.max(300_000, CLIENTS * 1_000);

afterAll(stopAll);

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const topicOf = (index: number) => `/topic/reservations/${index + 1}/7` as const;

interface Follower {
  readonly client: Client;
  readonly topic: number;
  readonly got: string[];
  gaps: number;
}

test(`${CLIENTS} clients over ${TOPICS} logs, the server started anew ${RESTARTS} times`, async () => {
  const folder = dataFolder();
  let server: Started = start({ DATA_DIR: folder, APP_PUSH_MODE: 'both' });
  const url = await server.ready();
  const port = new URL(url).port;
  const host = hostAt(url, 'local-key');
  /** Of each socket's handshake, how long after the server went down. */
  const handshakes: number[] = [];
  let downAt = Number.POSITIVE_INFINITY;
  class Counted extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols);
      if (Date.now() > downAt) handshakes.push(Date.now() - downAt);
    }
  }
  const followers = Array.from({ length: CLIENTS }, (_, index): Follower => {
    const client = createClient({ url, env: { WebSocket: Counted as unknown as SocketClass } });
    const follower: Follower = { client, topic: index % TOPICS, got: [], gaps: 0 };
    // the server is away for a while: that is no failure here
    client.on('error', () => undefined);
    client.follow(topicOf(follower.topic), ({ timestamp }) => void follower.got.push(timestamp), { onGap: () => follower.gaps++ });
    client.start();
    return follower;
  });
  const untilAll = async (claim: (follower: Follower) => boolean, what: string, ms = BACK_MS): Promise<void> => {
    const began = Date.now();
    while (!followers.every(claim)) {
      if (Date.now() - began > ms) throw new Error(`${followers.filter((one) => !claim(one)).length} of ${CLIENTS}: not ${what}`);
      await sleep(100);
    }
  };
  await untilAll(({ client }) => client.status === 'live', 'live');

  /** What the server has taken, by topic, in its order. */
  const sent = new Map<number, string[]>();
  let serial = 0;
  let publishing = true;
  const publisher = (async () => {
    let due = Date.now();
    while (publishing) {
      // what could not be published while the server was away is not made up for: the rate is a limit
      due = Math.max(due + 100, Date.now());
      const batch: PublishedEvent[] = [];
      const stamps: [number, string][] = [];
      for (let index = 0; index < RATE / 10; index++) {
        const topic = serial % TOPICS;
        const timestamp = new Date(Date.UTC(2026, 1, 19) + serial++).toISOString();
        batch.push({ ...settled(topic + 1, 7, 'SUCCESS', { timestamp }), id: `event-${serial}` });
        stamps.push([topic, timestamp]);
      }
      // an event that was perhaps taken is published again: its id makes it one
      while (publishing) {
        const taken = await host.publish(batch).then(
          () => true,
          () => false,
        );
        if (taken) break;
        await sleep(200);
      }
      for (const [topic, timestamp] of stamps) sent.set(topic, [...(sent.get(topic) ?? []), timestamp]);
      await sleep(Math.max(0, due - Date.now()));
    }
  })();

  const heaps: number[] = [];
  for (let restart = 0; restart < RESTARTS; restart++) {
    await sleep(UP_SECONDS * 1000);
    downAt = Date.now();
    // some are killed, and some end in good order
    server.end(restart % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    await server.exited();
    server = start({ DATA_DIR: folder, APP_PUSH_MODE: 'both', PORT: port });
    await server.ready();
    await untilAll(({ client }) => client.status === 'live', 'live again');
    downAt = Number.POSITIVE_INFINITY;
    globalThis.gc?.();
    heaps.push(process.memoryUsage().heapUsed);
  }
  publishing = false;
  await publisher;
  await untilAll(({ topic, got }) => got.length >= (sent.get(topic) ?? []).length, 'all delivered', 120_000);

  let delivered = 0;
  for (const { topic, got, gaps } of followers) {
    expect(gaps).toBe(0);
    expect(new Set(got).size).toBe(got.length);
    // the bus does not keep the order of events: each topic's order is that of their commits, the same for all
    expect(got.toSorted()).toEqual(sent.get(topic));
    delivered += got.length;
  }
  const first = new Map<number, string>();
  for (const { topic, got } of followers) {
    const order = got.join();
    expect(order).toBe(first.get(topic) ?? order);
    first.set(topic, order);
  }
  const seconds = Array.from({ length: 30 }, (_, index) => handshakes.filter((ms) => Math.floor(ms / 1000) === index).length);
  console.log(
    `${serial} events, ${delivered} messages delivered to ${CLIENTS} clients, ${handshakes.length} handshakes after ${RESTARTS} restarts`,
  );
  console.log(`handshakes by second after the server went down: ${seconds.join(' ')}`);
  console.log(`heap after each restart, MB: ${heaps.map((bytes) => (bytes / 1e6).toFixed(1)).join(' ')}`);
  // half of them in one second would be a herd
  expect(Math.max(...seconds)).toBeLessThan(handshakes.length / 2);
  // messages that were received are kept by this test itself: about 100 bytes each
  expect((heaps.at(-1) ?? 0) - (heaps[0] ?? 0)).toBeLessThan(delivered * 150 + 20e6);
  for (const { client } of followers) client.close();
  server.end('SIGTERM');
  expect(await server.exited()).toBe(0);
});

/** A waiting room over STOMP, each rank for one buyer: deliveries, latency, and the requests that polling would take. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { bounded } from '../core/base/concurrency.ts';
import { postEvents } from '../local/publisher.ts';
import { type Host, onEachHost } from './hosts.ts';
import { quantile, table } from './print.ts';

export interface OnSaleLoad {
  readonly waiters: number;
  /** Rank updates a second, over all waiters. */
  readonly updatesPerSecond: number;
  readonly seconds: number;
}

const CONCERT = 1;
/** Interval at which a page without push polls. */
const POLL_SECONDS = 2;
const EVENTS_PER_REQUEST = 10;

interface Outcome {
  readonly connectsPerSecond: number;
  readonly sent: number;
  readonly delivered: number;
  readonly toOthers: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly memoryMb: number | null;
  readonly seconds: number;
}

export async function onSale(load: OnSaleLoad): Promise<void> {
  const rows: string[][] = [];
  await onEachHost(async (name, host) => {
    const outcome = await run(host, load);
    if (outcome.delivered !== outcome.sent || outcome.toOthers > 0) process.exitCode = 1;
    const posts = outcome.delivered / load.waiters / (outcome.seconds / 60);
    rows.push([
      name,
      outcome.connectsPerSecond.toFixed(0),
      `${outcome.delivered} of ${outcome.sent}`,
      String(outcome.toOthers),
      outcome.perSecond.toFixed(0),
      outcome.p50.toFixed(0),
      outcome.p99.toFixed(0),
      outcome.memoryMb?.toFixed(0) ?? 'unknown',
      posts.toFixed(2),
      String(60 / POLL_SECONDS),
    ]);
  });
  console.log(
    `\non-sale: ${load.waiters} waiters over STOMP, ${load.updatesPerSecond} rank updates a second for ${load.seconds} s, each to its one owner, direct lane`,
  );
  table(
    [
      'host',
      'connects/s',
      'delivered',
      'to others',
      'delivered/s',
      'p50 ms',
      'p99 ms',
      'memory MB',
      'posts/waiter/min',
      `requests/waiter/min, polling every ${POLL_SECONDS} s`,
    ],
    rows,
  );
}

async function run(host: Host, { waiters, updatesPerSecond, seconds }: OnSaleLoad): Promise<Outcome> {
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let toOthers = 0;
  const sockets: WebSocket[] = [];
  const connecting = performance.now();
  await bounded(Array.from({ length: waiters }).keys(), 32, async (index) => {
    const user = index + 1;
    const socket = new WebSocket(`${host.url.replace('http', 'ws')}/ws`, 'v12.stomp');
    await once(socket, 'open');
    await new Promise<void>((subscribed) => {
      socket.on('message', (data: Buffer) => {
        const text = data.toString('utf8');
        if (text.includes('RECEIPT\n')) return subscribed();
        const [, userId, rank] = /"userId":(\d+).*"rank":(\d+)/.exec(text) ?? [];
        if (userId === undefined) return;
        if (Number(userId) !== user) toOthers++;
        const at = sentAt.get(`${userId} ${rank}`);
        if (at !== undefined) latencies.push(performance.now() - at);
      });
      socket.send(`CONNECT\naccept-version:1.2\n\n\0SUBSCRIBE\nid:a\ndestination:/topic/waiting-queue/${CONCERT}/${user}\nreceipt:r\n\n\0`);
    });
    sockets.push(socket);
  });
  const connectsPerSecond = waiters / ((performance.now() - connecting) / 1000);

  const updates = updatesPerSecond * seconds;
  const began = performance.now();
  const posts: Promise<void>[] = [];
  for (let index = 0; index < updates; index += EVENTS_PER_REQUEST) {
    await new Promise((done) => setTimeout(done, Math.max(0, began + (index * 1000) / updatesPerSecond - performance.now())));
    const ranks = Array.from({ length: EVENTS_PER_REQUEST }, (_, place) => ({
      user: 1 + ((index + place) % waiters),
      rank: updates - index - place,
    }));
    for (const { user, rank } of ranks) sentAt.set(`${user} ${rank}`, performance.now());
    posts.push(publish(host.url, ranks));
  }
  await Promise.all(posts);
  const sent = sentAt.size;
  for (let waited = 0; waited < 20_000 && latencies.length < sent; waited += 50) await new Promise((done) => setTimeout(done, 50));
  const took = (performance.now() - began) / 1000;
  const memoryMb = host.memoryMb();
  for (const socket of sockets) socket.terminate();
  latencies.sort((a, b) => a - b);
  return {
    connectsPerSecond,
    sent,
    delivered: latencies.length,
    toOthers,
    perSecond: latencies.length / took,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    memoryMb,
    seconds: took,
  };
}

async function publish(url: string, ranks: readonly { user: number; rank: number }[]): Promise<void> {
  const events = ranks.map(({ user, rank }) => ({
    source: 'ticket.waiting-queue',
    detailType: 'RankUpdated',
    detail: { userId: user, concertId: CONCERT, status: 'WAITING', rank, activeTtlSeconds: 0, timestamp: new Date().toISOString() },
  }));
  await postEvents(url, 'local-key', events, 'direct');
}

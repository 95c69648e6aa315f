/** One ticker, many clients: deliveries, latency, memory and CPU, beside the control. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { bounded } from '../core/base/concurrency.ts';
import { MARKET, postEvents } from '../local/publisher.ts';
import { type Host, onEachHost } from './hosts.ts';
import { quantile, table } from './print.ts';

export interface BroadcastLoad {
  readonly clients: number;
  readonly ticksPerSecond: number;
  readonly seconds: number;
}

const TICKER = '005930';
const FIRST = 100_000;
/** Before a publisher that was refused tries again. */
const PAUSE_MS = 20;
/** Ticks that are not measured. */
const WARM_UP = 15;

interface Outcome {
  readonly delivered: number;
  readonly expected: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly memoryMb: number | null;
  readonly cpuSeconds: number | null;
  readonly endOnNewest: number;
}

export async function broadcast(load: BroadcastLoad): Promise<void> {
  const rows: string[][] = [];
  await onEachHost(async (name, host) => {
    const { delivered, expected, perSecond, p50, p99, memoryMb, cpuSeconds, endOnNewest } = await broadcastOn(host, load);
    if (endOnNewest !== load.clients) process.exitCode = 1;
    rows.push([
      name,
      `${delivered} of ${expected}`,
      perSecond.toFixed(0),
      p50.toFixed(0),
      p99.toFixed(0),
      memoryMb?.toFixed(0) ?? 'unknown',
      cpuSeconds?.toFixed(1) ?? 'unknown',
      `${endOnNewest} of ${load.clients}`,
    ]);
  });
  console.log(
    `\nbroadcast: ${load.clients} clients on one ticker, ${load.ticksPerSecond} ticks a second for ${load.seconds} s, direct lane`,
  );
  table(['host', 'delivered', 'delivered/s', 'p50 ms', 'p99 ms', 'memory MB', 'CPU s', 'end on newest'], rows);
}

/** `beside`: done while the ticks are published. */
export async function broadcastOn(
  host: Host,
  { clients, ticksPerSecond, seconds }: BroadcastLoad,
  beside: () => Promise<void> = async () => undefined,
): Promise<Outcome> {
  const sentAt = new Map<number, number>();
  const latencies: number[] = [];
  const last = new Map<WebSocket, number>();
  const sockets: WebSocket[] = [];
  await bounded(Array.from({ length: clients }).keys(), 32, async () => {
    const socket = new WebSocket(`${host.url.replace('http', 'ws')}/ws`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'subscribe', topic: `price:${TICKER}` }));
    await new Promise<void>((subscribed) => {
      socket.on('message', (data: Buffer) => {
        const text = data.toString('utf8');
        if (text.includes('"subscribed"')) return subscribed();
        if (!text.includes('"price_update"')) return;
        const { price } = (JSON.parse(text) as { data: { price: number } }).data;
        const at = sentAt.get(price);
        if (at !== undefined) latencies.push(performance.now() - at);
        last.set(socket, price);
      });
    });
    sockets.push(socket);
  });

  // on every host, environments start and code warms up before the measurement
  for (let index = 0; index < WARM_UP; index++) {
    await publish(host.url, index + 1);
    await new Promise((done) => setTimeout(done, 1000 / ticksPerSecond));
  }
  const cpuBefore = host.cpuSeconds();
  const began = performance.now();
  const ticks = ticksPerSecond * seconds;
  const posts: Promise<unknown>[] = [beside()];
  for (let index = 0; index < ticks; index++) {
    const due = began + (index * 1000) / ticksPerSecond;
    await new Promise((done) => setTimeout(done, Math.max(0, due - performance.now())));
    const price = FIRST + index;
    sentAt.set(price, performance.now());
    posts.push(publish(host.url, price));
  }
  await Promise.all(posts);
  const newest = FIRST + ticks - 1;
  const onNewest = (): number => sockets.filter((socket) => last.get(socket) === newest).length;
  for (let waited = 0; waited < 10_000 && onNewest() < clients; waited += 50) await new Promise((done) => setTimeout(done, 50));
  const took = (performance.now() - began) / 1000;
  const cpuAfter = host.cpuSeconds();
  const memoryMb = host.memoryMb();
  const endOnNewest = onNewest();
  for (const socket of sockets) socket.terminate();
  latencies.sort((a, b) => a - b);
  return {
    delivered: latencies.length,
    expected: ticks * clients,
    perSecond: latencies.length / took,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    memoryMb,
    cpuSeconds: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
    endOnNewest,
  };
}

/** A publisher that is refused tries again. */
async function publish(url: string, price: number): Promise<unknown> {
  const detail = {
    ticker: TICKER,
    price,
    change: 0,
    change_rate: 0,
    volume: 1,
    bid_price: price,
    ask_price: price,
    timestamp: new Date().toISOString(),
  };
  for (;;) {
    try {
      return await postEvents(url, 'local-key', [{ source: MARKET, detailType: 'PriceTicked', detail }], 'direct');
    } catch (error) {
      if (!(error as Error).message.startsWith('429')) throw error;
    }
    await new Promise((later) => setTimeout(later, PAUSE_MS));
  }
}

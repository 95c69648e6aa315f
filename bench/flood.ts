/** A flood of requests on the HTTP API beside a live audience: does it take the deliveries' share? */
import { bounded } from '../core/base/concurrency.ts';
import { SETTING } from '../core/names.ts';
import { type BroadcastLoad, broadcastOn } from './broadcast.ts';
import { startHost } from './hosts.ts';
import { table } from './print.ts';

export interface FloodLoad extends Omit<BroadcastLoad, 'ticksPerSecond'> {
  readonly requests: number;
}

/** Fewer than the windows for deliveries: at the same rate, one late tick would make all after it wait for their window. */
const TICKS_PER_SECOND = 3;
/** Requests of the flood in flight at once. */
const AT_ONCE = 64;
/** Requests a second that the HTTP API takes in one of the runs: the local run serves fewer than the default. */
const LIMIT = 100;

export async function flood({ requests, ...audience }: FloodLoad): Promise<void> {
  const runs: readonly (readonly [name: string, requests: number, settings: Record<string, string>])[] = [
    ['no flood (control)', 0, {}],
    ['flood', requests, {}],
    [`flood, ${SETTING.httpRequestsPerSecond}=${LIMIT}`, requests, { [SETTING.httpRequestsPerSecond]: String(LIMIT) }],
  ];
  const load = { ...audience, ticksPerSecond: TICKS_PER_SECOND };
  const rows: string[][] = [];
  for (const [name, count, settings] of runs) {
    const host = await startHost('bin/local.ts', { DEMO: 'off', PORT: '0', AWS_PORT: '0', LOG_LEVEL: 'WARN', ...settings });
    try {
      const answers = { served: 0, refused: 0 };
      const { delivered, expected, p50, p99, endOnNewest } = await broadcastOn(host, load, () => sendRequests(host.url, count, answers));
      if (endOnNewest !== load.clients) process.exitCode = 1;
      rows.push([
        name,
        `${answers.served} / ${answers.refused}`,
        `${delivered} of ${expected}`,
        p50.toFixed(0),
        p99.toFixed(0),
        `${endOnNewest} of ${load.clients}`,
      ]);
    } finally {
      await host.stop();
    }
  }
  console.log(
    `\nflood: ${requests} requests, ${AT_ONCE} at once, beside ${load.clients} clients on one ticker, ${load.ticksPerSecond} ticks a second for ${load.seconds} s`,
  );
  table(['run', 'served / refused', 'delivered', 'p50 ms', 'p99 ms', 'end on newest'], rows);
}

async function sendRequests(url: string, requests: number, answers: { served: number; refused: number }): Promise<void> {
  await bounded(Array.from({ length: requests }).keys(), AT_ONCE, async () => {
    const response = await fetch(new URL('/api/kr/stocks/none/realtime-price', url));
    await response.arrayBuffer();
    if (response.status === 429) answers.refused++;
    else answers.served++;
  });
}

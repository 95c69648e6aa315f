/** The server's clock, by which commands expire: this machine's own may be wrong. */
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { readDurably, writeDurably } from './durable.ts';

/** The header that says the time has whole seconds, and takes its way. In ms. */
const NOISE_MS = 2_000;

export interface ServerClock {
  /** In ms. Before the server has ever answered, this machine's time. */
  now(): number;
  /** Notes the server's time, as it was now, in ms. */
  heard(serverMs: number): void;
}

/** @param folder in which the difference outlives a restart: an agent goes on with its commands before the server answers */
export async function openServerClock(folder: string, wall: () => number, log: Log): Promise<ServerClock> {
  const path = join(folder, 'clock.json');
  let skewMs = (await readDurably<number>(path)) ?? 0;
  return {
    now: () => wall() + skewMs,
    heard(serverMs) {
      const next = serverMs - wall();
      if (Math.abs(next - skewMs) < NOISE_MS) return;
      skewMs = next;
      writeDurably(path, next).catch(({ message }: Error) => log('ERROR', `the server's time could not be noted: ${message}`));
    },
  };
}

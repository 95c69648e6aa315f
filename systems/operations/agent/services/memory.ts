/** The memory of one service, on disk: it outlives the agent, as the service's processes do. */
import { readDurably, writeDurably } from '../state/durable.ts';
import type { Identity } from './proc.ts';

interface Known {
  /** It should run; `null` = nobody has said so yet. */
  readonly wanted: boolean | null;
  /** Its process; `null` = it has none. */
  readonly identity: Identity | null;
}

export interface ServiceMemory extends Readonly<Known> {
  /** Notes a change; it is on disk when this resolves. */
  note(change: Partial<Known>): Promise<void>;
}

export async function openServiceMemory(path: string): Promise<ServiceMemory> {
  const known: Known = { wanted: null, identity: null, ...(await readDurably<Partial<Known>>(path)) };
  return Object.assign(known, {
    async note(change: Partial<Known>) {
      Object.assign(known, change);
      const { wanted, identity } = known;
      await writeDurably(path, { wanted, identity });
    },
  });
}

/**
 * The commands that this agent has seen, on disk: each is carried out once, however often it comes, and whatever happens in
 * between. It is noted before it is begun, and with its outcome before that is published.
 */

import type { ServiceChanged } from '../services/changed.ts';
import { readDurably, writeDurably } from '../state/durable.ts';
import type { Command } from './command.ts';

interface Noted {
  readonly id: string;
  readonly atMs: number;
  readonly answer: ServiceChanged | null;
  /** Needed to go on with it after a kill. */
  readonly begun: Begun;
}

/** A command, and the pid of its service as it was begun; `null` = it did not run. */
export interface Begun {
  readonly command: Command;
  readonly pid: number | null;
}

/** Longer than a command can come again: topics keep a day. In ms. */
const KEPT_MS = 2 * 86_400_000;
const MOST = 2_000;

export interface Journal {
  /** `new`: it is noted as begun, and may be carried out. `begun`: its outcome is not known. Throws if it cannot be noted. */
  begin(
    command: Command,
    pid: number | null,
  ): Promise<{ readonly kind: 'new' | 'begun' } | { readonly kind: 'done'; readonly answer: ServiceChanged }>;
  /** Notes the outcome of a command that was begun. */
  finish(id: string, answer: ServiceChanged): Promise<void>;
  /** Commands that were begun and never finished, as after a kill. */
  unfinished(): readonly Begun[];
}

/** @param wall in ms */
export async function openJournal(path: string, wall: () => number): Promise<Journal> {
  const known = new Map(((await readDurably<readonly Noted[]>(path)) ?? []).map((one) => [one.id, one]));
  const save = (): Promise<void> => {
    for (const { id, atMs } of known.values()) if (known.size > MOST || wall() - atMs > KEPT_MS) known.delete(id);
    return writeDurably(path, [...known.values()]);
  };
  return {
    async begin(command, pid) {
      const id = command.command_id;
      const there = known.get(id);
      if (there) return there.answer ? { kind: 'done', answer: there.answer } : { kind: 'begun' };
      known.set(id, { id, atMs: wall(), answer: null, begun: { command, pid } });
      await save().catch((error: unknown) => {
        known.delete(id);
        throw error;
      });
      return { kind: 'new' };
    },
    async finish(id, answer) {
      const there = known.get(id);
      if (!there) return;
      known.set(id, { ...there, answer });
      await save();
    },
    unfinished: () => [...known.values()].flatMap(({ begun, answer }) => (answer ? [] : [begun])),
  };
}

/**
 * The events that wait to be published: changes and alerts first, then log lines, both on disk until they were taken; and the newest
 * figures, of which only the newest count.
 */
import { join } from 'node:path';
import { oneByOne } from '../loop.ts';
import type { Place } from '../tail/opened.ts';
import { type Entry, openSpool, type Spool } from '../tail/spool.ts';
import type { OutgoingEvent } from './post.ts';

/** An event with lines of a log file. */
export interface LogBatch {
  readonly event: OutgoingEvent;
  /** The place in their file behind them. */
  readonly next: Place;
}

export interface Outbox {
  /** An event that must arrive; it is on disk when this resolves. */
  add(event: OutgoingEvent): Promise<void>;
  /**
   * Batches of lines; they are on disk when this resolves. They are sent only after `commit` has noted that they were read: sent before,
   * they could be read and sent a second time, cut differently.
   */
  addLines(batches: readonly LogBatch[], commit: () => Promise<void>): Promise<void>;
  /** By file, the place behind the last batch that waits. */
  waiting(): Promise<ReadonlyMap<string, Place>>;
  figures(event: OutgoingEvent): void;
  /** No more lines fit. */
  readonly isFull: boolean;
  /** The next events to send, no more than `most`, and what ends them: the indexes that stay. `null` = there are none. */
  next(most: number): Promise<{ readonly events: readonly OutgoingEvent[]; settle(kept: ReadonlySet<number>): Promise<void> } | null>;
}

/** In one request, one event at least: small, for the memory's sake, and far below the server's 1 MB. */
const MOST_BYTES = 250_000;
/** Changes and alerts are few: more than this is a loop somewhere. In bytes. */
const EVENTS_BYTES = 16 * 1024 * 1024;

/** @param kicked called when there is something to send */
export async function openOutbox(folder: string, logBytes: number, kicked: () => void): Promise<Outbox> {
  const events = await openSpool<OutgoingEvent>(join(folder, 'events'), EVENTS_BYTES);
  const logs = await openSpool<LogBatch>(join(folder, 'logs'), logBytes);
  const inTurn = oneByOne();
  let newest: OutgoingEvent | null = null;

  /** The oldest of a spool, within what is left of a request. */
  const oldest = async <Batch>(spool: Spool<Batch>, room: { events: number; bytes: number }): Promise<readonly Entry<Batch>[]> => {
    if (room.events <= 0 || room.bytes <= 0) return [];
    const taken = await spool.oldest(room.events, room.bytes);
    room.events -= taken.length;
    room.bytes -= taken.reduce((sum, { bytes }) => sum + bytes, 0);
    return taken;
  };
  const remaining = <Batch>(entries: readonly Entry<Batch>[], kept: ReadonlySet<number>, first: number): Entry<Batch>[] =>
    entries.filter((_, index) => !kept.has(first + index));

  return {
    get isFull() {
      return logs.isFull;
    },
    async add(event) {
      await inTurn(() => events.add(event));
      kicked();
    },
    async addLines(batches, commit) {
      await inTurn(async () => {
        for (const batch of batches) await logs.add(batch);
        await commit();
      });
      kicked();
    },
    async waiting() {
      const places = new Map<string, Place>();
      await inTurn(() =>
        logs.each(({ next }) => {
          if (next.offset > (places.get(next.id)?.offset ?? 0)) places.set(next.id, next);
        }),
      );
      return places;
    },
    figures(event) {
      newest = event;
      kicked();
    },
    next: (most) =>
      inTurn(async () => {
        const room = { events: most, bytes: MOST_BYTES };
        const figures = newest;
        if (figures) room.events--;
        const changes = await oldest(events, room);
        const lines = await oldest(logs, room);
        const all = [...changes.map(({ batch }) => batch), ...lines.map(({ batch }) => batch.event), ...(figures ? [figures] : [])];
        if (all.length === 0) return null;
        return {
          events: all,
          settle: (kept) =>
            inTurn(async () => {
              await events.remove(remaining(changes, kept, 0));
              await logs.remove(remaining(lines, kept, changes.length));
              if (newest === figures) newest = null;
            }),
        };
      }),
  };
}

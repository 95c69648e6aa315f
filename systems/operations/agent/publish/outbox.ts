/**
 * The events that wait to be published: changes and alerts first, then log lines, both on disk until they were taken; and the newest
 * figures, of which only the newest count.
 */
import { join } from 'node:path';
import { type Log, logOnce } from '../log.ts';
import { oneByOne } from '../loop.ts';
import { openSpool, type Spool, type Spooled } from '../state/spool.ts';
import type { Place } from '../tail/opened.ts';
import type { OutgoingEvent } from './post.ts';

/** An event with lines of a log file. */
export interface LogBatch {
  readonly event: OutgoingEvent;
  /** The place in their file behind them. */
  readonly next: Place;
}

export interface Outbox {
  /** An event that must arrive; it is on disk when this resolves, or in memory if the disk takes nothing. */
  add(event: OutgoingEvent): Promise<void>;
  /**
   * Batches of lines; they are on disk when this resolves. They are sent only after `commit` has noted that they were read: sent before,
   * they could be read and sent a second time, cut differently.
   */
  addLines(batches: readonly LogBatch[], commit: () => Promise<void>): Promise<void>;
  /** By file, the place behind the last batch that waited when the agent started. */
  readonly waiting: ReadonlyMap<string, Place>;
  figures(event: OutgoingEvent): void;
  /** No more lines fit. */
  readonly isFull: boolean;
  /** The next events to send, no more than `most`, and what ends them: the indexes that stay. `null` = there are none. */
  next(most: number): Promise<{ readonly events: readonly OutgoingEvent[]; settle(again: ReadonlySet<number>): Promise<void> } | null>;
}

/** In one request, one event at least: small, for the memory's sake, and far below the server's 1 MB. */
const MOST_BYTES = 250_000;
/** Some 4,000 changes and alerts: after that the oldest make room. In bytes on the disk. */
const EVENTS_BYTES = 16 * 1024 * 1024;
/** Events that the disk did not take, as when it is full. */
const MOST_IN_MEMORY = 200;

export interface OutboxForm {
  readonly folder: string;
  /** Lines wait on disk up to this, in bytes. */
  readonly logBytes: number;
  /** Called when there is something to send. */
  kicked(): void;
  readonly log: Log;
}

export async function openOutbox({ folder, logBytes, kicked, log }: OutboxForm): Promise<Outbox> {
  const damaged = (path: string): void => log('ERROR', `a batch is damaged and was put aside: ${path}`);
  const events = await openSpool<OutgoingEvent>({ folder: join(folder, 'events'), most: EVENTS_BYTES, damaged });
  const logs = await openSpool<LogBatch>({ folder: join(folder, 'logs'), most: logBytes, damaged });
  const waiting = await lastPlaces(logs);
  const inTurn = oneByOne();
  const failure = logOnce(log);
  /** Oldest first. */
  let inMemory: readonly OutgoingEvent[] = [];
  let newest: OutgoingEvent | null = null;

  /** The oldest of a spool, within what is left of a request. */
  const oldest = async <Batch>(spool: Spool<Batch>, room: { events: number; bytes: number }): Promise<readonly Spooled<Batch>[]> => {
    if (room.events <= 0 || room.bytes <= 0) return [];
    const taken = await spool.oldest(room.events, room.bytes);
    room.events -= taken.length;
    room.bytes -= taken.reduce((sum, { bytes }) => sum + bytes, 0);
    return taken;
  };
  const remaining = <Batch>(entries: readonly Spooled<Batch>[], kept: ReadonlySet<number>, first: number): Spooled<Batch>[] =>
    entries.filter((_, index) => !kept.has(first + index));

  const toDisk = async (): Promise<void> => {
    for (const event of inMemory) {
      while (events.bytes >= EVENTS_BYTES) {
        log('ERROR', 'too many events wait to be sent: the oldest is given up');
        await events.remove(await events.oldest(1, 0));
      }
      await events.add(event);
      inMemory = inMemory.slice(1);
      failure.over();
    }
  };

  return {
    get isFull() {
      return logs.isFull;
    },
    waiting,
    async add(event) {
      await inTurn(async () => {
        inMemory = [...inMemory, event].slice(-MOST_IN_MEMORY);
        await toDisk().catch(({ message }: Error) =>
          failure.say('ERROR', `events stay in memory, the disk does not take them: ${message}`),
        );
      });
      kicked();
    },
    async addLines(batches, commit) {
      await inTurn(async () => {
        for (const batch of batches) await logs.add(batch);
        await commit();
      });
      kicked();
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
        const kept = inMemory.slice(0, Math.max(0, room.events));
        room.events -= kept.length;
        const lines = await oldest(logs, room);
        const all = [
          ...changes.map(({ batch }) => batch),
          ...lines.map(({ batch }) => batch.event),
          ...kept,
          ...(figures ? [figures] : []),
        ];
        if (all.length === 0) return null;
        return {
          events: all,
          settle: (again) =>
            inTurn(async () => {
              await events.remove(remaining(changes, again, 0));
              await logs.remove(remaining(lines, again, changes.length));
              const first = changes.length + lines.length;
              const sent = new Set(kept.filter((_, index) => !again.has(first + index)));
              inMemory = inMemory.filter((event) => !sent.has(event));
              if (newest === figures) newest = null;
            }),
        };
      }),
  };
}

async function lastPlaces(logs: Spool<LogBatch>): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>();
  await logs.each(({ next }) => {
    if (next.offset > (places.get(next.id)?.offset ?? 0)) places.set(next.id, next);
  });
  return places;
}

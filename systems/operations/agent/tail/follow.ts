/** Brings the lines of one log file into the outbox, each once, and remembers how far it came. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { type Log, logOnce } from '../log.ts';
import { type Loop, repeat } from '../loop.ts';
import type { LogBatch, Outbox } from '../publish/outbox.ts';
import { readDurably, writeDurably } from '../state/durable.ts';
import { entryOf } from './entry.ts';
import type { Place } from './opened.ts';
import { type LineBatch, startTail, type Tail, type TailMemory } from './tail.ts';

/** Between two looks, in ms. */
const LOOK_MS = 500;
/** An update stays below the size at which the server splits it. */
const MOST_BYTES = 64 * 1024;
const MOST_LINES = 500;
/** At its end it still reads so many pieces: what was written just before. */
const LAST_LOOKS = 20;

export interface FollowPorts {
  readonly outbox: Outbox;
  /** Folder for what is remembered. */
  readonly state: string;
  /** A clock that only goes forward, and the wall clock, in ms. */
  now(): number;
  wall(): number;
  readonly log: Log;
  /** Without anything remembered, the file is read from its start. @default false: from where it ends now */
  readonly whole?: boolean;
  /** Called after lines were read, with the place up to which the newest file was read. */
  read?(place: Place): Promise<void>;
}

/** @param path of the file, which need not be there yet */
export async function followLog(path: string, { outbox, state, now, wall, log, whole = false, read }: FollowPorts): Promise<Loop> {
  const memoryPath = join(state, `log-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.json`);
  const known = (await readDurably<TailMemory>(memoryPath)) ?? (whole ? { open: [], finished: [] } : null);
  const remembered = known && beyond(known, outbox.waiting);
  const start = async (): Promise<Tail> => {
    const started = await startTail(path, remembered, now);
    if (!remembered) await writeDurably(memoryPath, started.memory());
    return started;
  };
  const failure = logOnce(log);
  const failed = ({ message }: Error): void => failure.say('ERROR', `${path}: ${message}`);
  let started = await start().catch((error: Error) => {
    failed(error);
    return null;
  });
  const name = basename(path);
  let isPaused = false;

  const look = async (): Promise<boolean> => {
    if (outbox.isFull) {
      if (!isPaused) log('WARNING', `${path} waits: the spool is full, its lines stay in the file`);
      isPaused = true;
      return false;
    }
    isPaused = false;
    // a file that may not be read yet is tried again
    started ??= await start();
    const tail = started;
    const batch = await tail.look();
    if (!batch) return false;
    const readAt = new Date(wall()).toISOString();
    if (batch.afterGap) log('WARNING', `${path}: lines may be missing, the file was emptied or deleted before it was read to its end`);
    await outbox.addLines(await batchesOf(name, batch, readAt), async () => {
      batch.taken();
      await writeDurably(memoryPath, tail.memory());
    });
    failure.over();
    const newest = tail.memory().open.at(-1);
    if (newest) await read?.(newest);
    return true;
  };
  const loop = repeat(LOOK_MS, look, failed);
  return {
    ...loop,
    async stop() {
      await loop.stop();
      for (let looks = 0; looks < LAST_LOOKS && (await look().catch(failed)); looks++);
      await started?.stop();
    },
  };
}

/** Lines that are on disk to be sent were read, also if the agent was killed before it had noted that. */
function beyond({ open, finished }: TailMemory, waiting: ReadonlyMap<string, Place>): TailMemory {
  const later = (place: Place): Place => {
    const read = waiting.get(place.id);
    return read && read.offset > place.offset ? read : place;
  };
  return { open: open.map(later), finished: finished.map(later) };
}

/** Log updates of bounded size. An entry's file and offset say where its line stands; the first one's are its event's id. */
async function batchesOf(name: string, batch: LineBatch, readAt: string): Promise<LogBatch[]> {
  const { file, lines, afterGap } = batch;
  const batches: LogBatch[] = [];
  let entries: object[] = afterGap ? [gapEntry(readAt)] : [];
  let bytes = 0;
  let first = 0;
  for (const [index, line] of lines.entries()) {
    const entry = { ...entryOf(line.text, readAt), file, offset: line.offset };
    entries.push(entry);
    bytes += Buffer.byteLength(JSON.stringify(entry));
    if (bytes < MOST_BYTES && entries.length < MOST_LINES && index < lines.length - 1) continue;
    const event = { detailType: 'LogAppended', id: `${file}+${lines[first]?.offset}`, detail: { file_name: name, entries } } as const;
    batches.push({ event, next: await batch.after(line) });
    [entries, bytes, first] = [[], 0, index + 1];
  }
  return batches;
}

/** An entry of the agent's own: it stands in no file. */
const gapEntry = (timestamp: string): object => ({
  timestamp,
  level: 'WARNING',
  logger_name: 'realtime-push-agent',
  message: 'possible gap: the file was emptied or deleted before it was read to its end',
  module: '',
  line_number: 0,
  thread_id: '',
});

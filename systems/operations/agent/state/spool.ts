/**
 * Batches that were read and not sent yet, on disk: a file for each. A batch keeps its id and its content until it was
 * taken: sent again after a crash it is the same event, and not half of another.
 */
import { mkdir, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, textOf, unlessMissing, valueIn, writeSynced } from './durable.ts';

export interface Spool<Batch> {
  /** Bytes that all batches take on the disk. */
  readonly bytes: number;
  /** No more fits. Once full it stays so until a fifth of it is free again. */
  readonly isFull: boolean;
  /** Adds a batch; it is on disk when this resolves. */
  add(batch: Batch): Promise<void>;
  /** The oldest batches, in order: as many as have no more bytes together, but one at least. */
  oldest(most: number, bytes: number): Promise<readonly Spooled<Batch>[]>;
  /** Every batch in order, one after the other: all of them may be more than memory holds. */
  each(visit: (batch: Batch) => void): Promise<void>;
  /** They were taken. */
  remove(entries: readonly Spooled<Batch>[]): Promise<void>;
}

export interface Spooled<Batch> {
  readonly name: string;
  readonly batch: Batch;
  readonly bytes: number;
}

const SUFFIX = '.batch';
/** Digits of a batch's number: names sort as the batches do. */
const DIGITS = 12;

/** A file takes whole blocks of the disk, in bytes. */
const BLOCK_BYTES = 4_096;
const onDisk = (bytes: number): number => Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;

/** A full spool takes batches again below this part of its size. */
const ROOM = 0.8;

export interface SpoolForm {
  readonly folder: string;
  /** Bytes on the disk after which it is full. */
  readonly most: number;
  /** Called with the path of a batch that could not be read, and was put aside. */
  damaged(path: string): void;
}

/** Opens a spool in a folder, with the batches that are there. */
export async function openSpool<Batch>({ folder, most, damaged }: SpoolForm): Promise<Spool<Batch>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const sizes = new Map<string, number>();
  for (const name of (await readdir(folder)).sort()) {
    // the end of a batch that was never finished
    if (name.endsWith('.next')) await unlink(join(folder, name));
    if (name.endsWith(SUFFIX)) sizes.set(name, (await stat(join(folder, name))).size);
  }
  let next = Number.parseInt([...sizes.keys()].at(-1) ?? '0', 10) + 1;
  let bytes = [...sizes.values()].reduce((sum, size) => sum + onDisk(size), 0);
  let isFull = bytes >= most;
  const forget = (name: string): void => {
    bytes -= onDisk(sizes.get(name) ?? 0);
    sizes.delete(name);
    if (bytes < most * ROOM) isFull = false;
  };
  /** One that is damaged is kept for whoever wants to look; it stops nothing behind it. */
  const read = async (name: string): Promise<Batch | undefined> => {
    const path = join(folder, name);
    const batch = valueIn<Batch>((await readFile(path, 'utf8').catch(unlessMissing)) ?? '');
    if (batch !== undefined) return batch;
    await rename(path, `${path}.damaged`).catch(unlessMissing);
    forget(name);
    damaged(`${path}.damaged`);
    return undefined;
  };
  return {
    get bytes() {
      return bytes;
    },
    get isFull() {
      return isFull;
    },
    async add(batch) {
      const name = `${String(next).padStart(DIGITS, '0')}${SUFFIX}`;
      const text = textOf(batch);
      const path = join(folder, name);
      await writeSynced(`${path}.next`, text).catch(async (error: unknown) => {
        // on a full disk its beginning would take the last room
        await unlink(`${path}.next`).catch(() => undefined);
        throw error;
      });
      next++;
      await rename(`${path}.next`, path);
      await syncFolder(folder);
      sizes.set(name, Buffer.byteLength(text));
      bytes += onDisk(Buffer.byteLength(text));
      isFull ||= bytes >= most;
    },
    async oldest(count, most) {
      const entries: Spooled<Batch>[] = [];
      let room = most;
      for (const [name, bytes] of [...sizes]) {
        if (entries.length === count || (entries.length > 0 && bytes > room)) break;
        room -= bytes;
        const batch = await read(name);
        if (batch !== undefined) entries.push({ name, batch, bytes });
      }
      return entries;
    },
    async each(visit) {
      for (const name of [...sizes.keys()]) {
        const batch = await read(name);
        if (batch !== undefined) visit(batch);
      }
    },
    async remove(entries) {
      for (const { name } of entries) {
        await unlink(join(folder, name)).catch(unlessMissing);
        forget(name);
      }
    },
  };
}

/**
 * Follows one log file over rotations. Every look compares the path with what is open: a renamed file is read to its end
 * before it is left, files that came and went between two looks are found among its siblings, and an emptied one starts
 * over. Looks are cheap, and nothing depends on a notice of a change.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Line } from './lines.ts';
import { type Opened, openFile, type Piece, type Place } from './opened.ts';

/** A rotated file may still be written to for this long after its last byte, in ms. */
const LINGER_MS = 10_000;
/** A line without an end is taken as it is after this, in ms. */
const PARTIAL_MS = 5_000;

/** Lines of one file. They count as taken once `taken` was called: then they are safe elsewhere. */
export interface LineBatch {
  readonly file: string;
  readonly lines: readonly Line[];
  /** Lines may be missing before these: a file was emptied, or deleted, before it was read to its end. */
  readonly afterGap: boolean;
  taken(): void;
  /** The place in the file behind one of the lines. */
  after(line: Line): Promise<Place>;
}

/** Everything that must be remembered between two runs. */
export interface TailMemory {
  /** Files that are being read, oldest first. */
  readonly open: readonly Place[];
  /** Files that were read to their end, and are still there. */
  readonly finished: readonly Place[];
}

export interface Tail {
  /** The next lines, `null` if there are none now. MUST be taken, or left, before the next call. */
  look(): Promise<LineBatch | null>;
  memory(): TailMemory;
  stop(): Promise<void>;
}

/** A file that is open, and when it last had something. */
interface Source {
  readonly file: Opened;
  /** Bytes that it had left, and since when so many. */
  left: number;
  activeMs: number;
}

/**
 * @param memory of the last run; without any, only what comes from now on is read
 * @param now a clock that only goes forward, in ms
 */
export async function startTail(path: string, memory: TailMemory | null, now: () => number): Promise<Tail> {
  const sources: Source[] = [];
  const finished = new Map<string, Place>();
  let afterGap = false;
  /** Nothing is at the path. */
  let isGone = false;
  /** The file at the path, as it was compared last. */
  let seen = '';

  const add = (file: Opened): void => {
    finished.delete(keyOf(file.place));
    sources.push({ file, left: 0, activeMs: now() });
  };
  /** Opens a file where it was left. `null` if it is gone, or nothing of it is left to read and `isOld`. */
  const open = async (at: string, known: Place | null, isOld: boolean): Promise<Opened | null> => {
    const file = await openFile(at, known).catch((error: Error) => {
      // one of the rotated files that cannot be read holds up no other
      if (!isOld) throw error;
      return null;
    });
    if (!file) return null;
    // an inode that is used again is another file
    if (await file.wasTruncated()) file.startOver();
    if (!isOld || known === null || file.place.id !== known.id || (await file.left()) > 0) return file;
    await file.close();
    return null;
  };

  /** Compares the path with the newest file that is open. */
  const compare = async (): Promise<void> => {
    const current = sources.at(-1)?.file;
    const info = await stat(path, { bigint: true }).catch(() => null);
    isGone = info === null;
    if (!info?.isFile()) return;
    const key = `${info.dev}:${info.ino}`;
    if (current && keyOf(current.place) === key) {
      // most looks find nothing new: they cost one call
      const version = `${key} ${info.size} ${info.mtimeNs}`;
      if (version === seen) return;
      seen = version;
      if (!(await current.wasTruncated())) return;
      await takeCopy(current.place);
      current.startOver();
      afterGap = true;
      return;
    }
    // it was replaced; what came in between was renamed too
    const opened = new Set(sources.map(({ file }) => keyOf(file.place)));
    const siblings = await siblingsOf(path);
    const there = new Set([key, ...siblings.map((sibling) => sibling.key)]);
    for (const known of finished.keys()) if (!there.has(known)) finished.delete(known);
    for (const sibling of siblings) {
      if (opened.has(sibling.key)) continue;
      const file = await open(sibling.path, finished.get(sibling.key) ?? null, true);
      if (file) add(file);
    }
    const file = await open(path, finished.get(key) ?? null, false);
    if (file) add(file);
  };

  /** A file that is emptied was often copied before: what was not read yet stands in the copy, behind the same bytes. */
  const takeCopy = async (place: Place): Promise<void> => {
    for (const sibling of await siblingsOf(path)) {
      const [device = '', inode = ''] = sibling.key.split(':');
      if (finished.has(sibling.key) || sources.some(({ file }) => keyOf(file.place) === sibling.key)) continue;
      const file = await openFile(sibling.path, { ...place, device, inode }).catch(() => null);
      if (!file) continue;
      // the newest file stays last
      if (place.offset > 0 && !(await file.wasTruncated())) sources.splice(-1, 0, { file, left: 0, activeMs: now() });
      else await file.close();
    }
  };

  /** Takes up the files of the last run, wherever they are now. */
  const resume = async ({ open: places, finished: done }: TailMemory): Promise<void> => {
    for (const place of done) finished.set(keyOf(place), place);
    const there = [...(await siblingsOf(path)), ...(await entryOf(path))];
    for (const place of places) {
      const at = there.find(({ key }) => key === keyOf(place));
      const file = at ? await open(at.path, place, false) : null;
      if (file?.place.id !== place.id) afterGap = true;
      if (file) add(file);
    }
  };

  const begin = async (): Promise<void> => {
    for (const { path: at, key } of await siblingsOf(path)) {
      const file = await openFile(at, 'end').catch(() => null);
      if (file) finished.set(key, file.place);
      await file?.close();
    }
    const file = await openFile(path, 'end');
    if (file) add(file);
  };

  try {
    await (memory ? resume(memory) : begin());
  } catch (error) {
    // it is tried again and again, each time with files opened anew
    for (const { file } of sources) await file.close();
    throw error;
  }

  const batchOf = ({ file }: Source, piece: Piece): LineBatch => ({
    file: file.place.id,
    lines: piece.lines,
    afterGap,
    taken() {
      file.take(piece);
      afterGap = false;
    },
    after: (line) => file.after(line, piece),
  });

  return {
    async look() {
      await compare();
      for (const source of [...sources]) {
        const isCurrent = source === sources.at(-1);
        const left = await source.file.left();
        if (left !== source.left) Object.assign(source, { left, activeMs: now() });
        const idleMs = now() - source.activeMs;
        const piece = left === 0 ? null : await source.file.read(idleMs >= (isCurrent ? PARTIAL_MS : LINGER_MS));
        if (piece) return batchOf(source, piece);
        // a deleted file takes room on the disk as long as it is open
        if ((isCurrent && !isGone) || idleMs < LINGER_MS) continue;
        sources.splice(sources.indexOf(source), 1);
        finished.set(keyOf(source.file.place), source.file.place);
        await source.file.close();
      }
      return null;
    },
    memory: () => ({ open: sources.map(({ file }) => file.place), finished: [...finished.values()] }),
    async stop() {
      for (const { file } of sources.splice(0)) await file.close();
    },
  };
}

const keyOf = ({ device, inode }: Place): string => `${device}:${inode}`;

interface FileEntry {
  readonly path: string;
  readonly key: string;
  readonly ns: bigint;
}

async function entryOf(path: string): Promise<FileEntry[]> {
  const info = await stat(path, { bigint: true }).catch(() => null);
  return info?.isFile() ? [{ path, key: `${info.dev}:${info.ino}`, ns: info.mtimeNs }] : [];
}

/** A rotated file's name goes on with a number or a date; others, such as `app.log.bak`, are somebody's copies. */
const ROTATED = /^[.\-_]\d[\d.\-_:T]*$/;

/** Rotated files of a path, oldest first; none if there is no such folder. */
async function siblingsOf(path: string): Promise<FileEntry[]> {
  const [folder, name] = [dirname(path), basename(path)];
  const all = await readdir(folder).catch(() => []);
  const names = all.filter((one) => one.startsWith(name) && ROTATED.test(one.slice(name.length)));
  const found = await Promise.all(names.map((one) => entryOf(join(folder, one))));
  return found.flat().sort((a, b) => Number(a.ns - b.ns) || byRotation(a.path, b.path));
}

/** Of files that were written in the same tick of the kernel: a higher number is older, a later date newer. */
const byRotation = (a: string, b: string): number => (/\.\d{1,4}$/.test(a) ? -1 : 1) * a.localeCompare(b, 'en', { numeric: true });

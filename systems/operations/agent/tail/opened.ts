/** One log file while it is open: who it is, and how far it was read. It stays the same file when it is renamed. */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type Line, linesOf, MAX_LINE_BYTES } from './lines.ts';

/** Read at once: more than a line may have. */
const READ_BYTES = 2 * MAX_LINE_BYTES;

/** Bytes before the position that are remembered: they show whether the file is still the one that was read. */
const MARK_BYTES = 64;

/** A file as it is remembered between two runs of the agent. */
export interface Place {
  /** Its name for readers, made when it was first seen: an inode is used again, this is not. */
  readonly id: string;
  readonly device: string;
  readonly inode: string;
  /** Everything before this was taken. */
  readonly offset: number;
  /** Digest of the bytes just before the offset. */
  readonly mark: string;
  /** The offset lies within a line that was cut. */
  readonly skips: boolean;
}

export interface Opened {
  /** Up to what was taken. */
  readonly place: Place;
  /** Bytes after the place, as far as the file has them now. */
  left(): Promise<number>;
  /** The next lines, as many as one read brings; they are taken by `take`. `isLast`: what has no line end comes too. */
  read(isLast?: boolean): Promise<Piece | null>;
  take(piece: Piece): void;
  /** The place behind one line of a piece. */
  after(line: Line, piece: Piece): Promise<Place>;
  /** The file holds less than was read, or other bytes: it was emptied, and perhaps written anew. */
  wasTruncated(): Promise<boolean>;
  /** Starts over, as another file under the same inode. */
  startOver(): void;
  close(): Promise<void>;
}

export interface Piece {
  readonly lines: readonly Line[];
  readonly next: Place;
}

/** `null`: there is no such file, or it is none. `from`: where to begin; @default the start */
export async function openFile(path: string, from: Place | 'end' | null = null): Promise<Opened | null> {
  const handle = await open(path, 'r').catch((error: { code?: unknown }) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!handle) return null;
  try {
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) throw new Error(`${path}: it is no file`);
    const fresh: Place = {
      id: randomBytes(6).toString('hex'),
      device: String(stat.dev),
      inode: String(stat.ino),
      offset: 0,
      mark: '',
      skips: false,
    };
    const isSame = typeof from === 'object' && from !== null && from.device === fresh.device && from.inode === fresh.inode;
    const start = isSame ? from : from === 'end' ? await atEnd(handle, fresh, Number(stat.size)) : fresh;
    return opened(handle, start);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function opened(handle: FileHandle, start: Place): Opened {
  let place = start;
  const size = async (): Promise<number> => (await handle.stat()).size;
  return {
    get place() {
      return place;
    },
    left: async () => Math.max(0, (await size()) - place.offset),
    async read(isLast = false) {
      const buffer = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, place.offset);
      const isEnd = bytesRead < READ_BYTES;
      const { lines, end, skips } = linesOf(buffer.subarray(0, bytesRead), place.offset, { isLast: isLast && isEnd, skips: place.skips });
      if (end === place.offset) return null;
      return { lines, next: { ...place, offset: end, skips, mark: await markAt(handle, end) } };
    },
    take({ next }) {
      place = next;
    },
    after: async ({ end }, { lines, next }) =>
      end === lines.at(-1)?.end ? next : { ...next, offset: end, skips: false, mark: await markAt(handle, end) },
    wasTruncated: async () => (await size()) < place.offset || (await markAt(handle, place.offset)) !== place.mark,
    startOver() {
      place = { ...place, id: randomBytes(6).toString('hex'), offset: 0, mark: '', skips: false };
    },
    close: () => handle.close(),
  };
}

const atEnd = async (handle: FileHandle, fresh: Place, size: number): Promise<Place> => ({
  ...fresh,
  offset: size,
  mark: await markAt(handle, size),
});

/** Digest of the bytes just before an offset; empty at the start. */
async function markAt(handle: FileHandle, offset: number): Promise<string> {
  const length = Math.min(MARK_BYTES, offset);
  if (length === 0) return '';
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, offset - length);
  return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex').slice(0, 16);
}

import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Items by key, in memory and in a file to which each change is appended: what a killed run had put is there for the next one. */
export interface DurableMap<Item> {
  /** In the order in which their keys were first put. */
  readonly items: ReadonlyMap<string, Item>;
  /** Throws, and changes nothing, if the file cannot be written. */
  put(key: string, item: Item): void;
  remove(key: string): void;
}

/** A file of this size is written anew if most of it is about items that are gone. */
const MANY_BYTES = 1_048_576;

/**
 * @param file `null` = in memory alone
 * @param isItem whether a value of the file is an item
 */
export function durableMap<Item>(file: string | null, isItem: (value: unknown) => value is Item): DurableMap<Item> {
  const items = new Map<string, Item>();
  if (file === null) return { items, put: (key, item) => void items.set(key, item), remove: (key) => void items.delete(key) };
  mkdirSync(dirname(file), { recursive: true });
  for (const [key, item] of linesOf(file, isItem))
    if (item === undefined) items.delete(key);
    else items.set(key, item);
  const sizes = new Map<string, number>();
  let live = 0;
  let bytes = 0;
  const count = (key: string, size: number): void => {
    live += size - (sizes.get(key) ?? 0);
    if (size > 0) sizes.set(key, size);
    else sizes.delete(key);
  };
  const rewrite = (): void => {
    const text = [...items].map((entry) => lineOf(...entry)).join('');
    // a file beside it and a new name: a run that is killed here leaves the old file whole
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    bytes = Buffer.byteLength(text);
  };
  for (const [key, item] of items) count(key, Buffer.byteLength(lineOf(key, item)));
  rewrite();
  const append = (line: string): number => {
    try {
      appendFileSync(file, line);
    } catch (error) {
      // half a line would spoil the next one
      truncateSync(file, bytes);
      throw error;
    }
    const size = Buffer.byteLength(line);
    bytes += size;
    return size;
  };
  const tidy = (): void => {
    if (bytes > MANY_BYTES && bytes > 4 * live) rewrite();
  };
  return {
    items,
    put(key, item) {
      count(key, append(lineOf(key, item)));
      items.set(key, item);
      tidy();
    },
    remove(key) {
      if (!items.has(key)) return;
      append(lineOf(key));
      count(key, 0);
      items.delete(key);
      tidy();
    },
  };
}

/** A line without item says that the item is gone. */
const lineOf = <Item>(key: string, item?: Item): string => `${JSON.stringify(item === undefined ? [key] : [key, item])}\n`;

function* linesOf<Item>(file: string, isItem: (value: unknown) => value is Item): Generator<readonly [string, Item | undefined]> {
  if (!existsSync(file)) return;
  const bytes = readFileSync(file);
  // what follows the last line feed was not written to its end, so nobody was told that it was put
  for (let from = 0, line = 1, end = bytes.indexOf('\n'); end >= 0; from = end + 1, line++, end = bytes.indexOf('\n', from)) {
    const read = readLine(bytes.toString('utf8', from, end), isItem);
    if (read === null) throw new Error(`${file}: line ${line} cannot be read; mend it, or delete the file and lose what it holds`);
    yield read;
  }
}

function readLine<Item>(text: string, isItem: (value: unknown) => value is Item): readonly [string, Item | undefined] | null {
  try {
    const line: unknown = JSON.parse(text);
    if (!Array.isArray(line) || typeof line[0] !== 'string') return null;
    const [key, item] = line as [string, unknown];
    if (line.length === 1) return [key, undefined];
    return isItem(item) ? [key, item] : null;
  } catch {
    return null;
  }
}

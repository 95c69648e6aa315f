import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Items by key, in memory and in a file to which each change is appended: what a killed run had put is there for the next one. */
export interface DurableMap<Item> {
  /** In the order in which their keys were first put. */
  readonly items: ReadonlyMap<string, Item>;
  put(key: string, item: Item): void;
  remove(key: string): void;
}

/** Lines after which the file is written anew, if most of them are about items that are gone. */
const MANY_LINES = 10_000;

/** @param file `null` = in memory alone */
export function durableMap<Item>(file: string | null): DurableMap<Item> {
  const items = new Map<string, Item>();
  if (file === null) return { items, put: (key, item) => void items.set(key, item), remove: (key) => void items.delete(key) };
  mkdirSync(dirname(file), { recursive: true });
  for (const [key, item] of linesOf<Item>(file))
    if (item === undefined) items.delete(key);
    else items.set(key, item);
  let lines = 0;
  const rewrite = (): void => {
    // a file beside it and a new name: a run that is killed here leaves the old file whole
    writeFileSync(`${file}.new`, [...items].map((entry) => lineOf(...entry)).join(''));
    renameSync(`${file}.new`, file);
    lines = items.size;
  };
  rewrite();
  const append = (key: string, item?: Item): void => {
    appendFileSync(file, lineOf(key, item));
    lines++;
    if (lines > MANY_LINES && lines > 4 * items.size) rewrite();
  };
  return {
    items,
    put(key, item) {
      items.set(key, item);
      append(key, item);
    },
    remove(key) {
      if (items.delete(key)) append(key);
    },
  };
}

/** A line without item says that the item is gone. */
const lineOf = <Item>(key: string, item?: Item): string => `${JSON.stringify(item === undefined ? [key] : [key, item])}\n`;

function* linesOf<Item>(file: string): Generator<readonly [string, Item | undefined]> {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, 'utf8').split('\n');
  // what follows the last line feed was not written to its end, so nobody was told that it was put
  for (const [index, line] of lines.slice(0, -1).entries()) {
    try {
      const [key, item] = JSON.parse(line) as [string, Item?];
      yield [key, item];
    } catch (cause) {
      throw new Error(`${file}: line ${index + 1} cannot be read; mend it, or delete the file and lose what it holds`, { cause });
    }
  }
}

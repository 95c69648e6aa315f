/** Small files that outlive a power cut at any moment: written beside the old one, synced, and put in its place. */
import { createHash } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** The last write to each path: the next one waits for it, since both use the same names. */
const writes = new Map<string, Promise<void>>();

/** Writes a value as JSON with a checksum. The version before stays as `{path}.before`. Writes to one path are done in their order. */
export function writeDurably(path: string, value: unknown): Promise<void> {
  const text = textOf(value);
  const mine = (writes.get(path) ?? Promise.resolve()).catch(() => undefined).then(() => replaceFile(path, text));
  writes.set(path, mine);
  const forget = (): void => {
    if (writes.get(path) === mine) writes.delete(path);
  };
  mine.then(forget, forget);
  return mine;
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeSynced(`${path}.next`, text);
  await rename(path, `${path}.before`).catch(unlessMissing);
  await rename(`${path}.next`, path);
  await syncFolder(dirname(path));
}

/** A value as JSON, with its checksum. */
export function textOf(value: unknown): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

/** Writes a file that its owner alone can read, down to the disk. */
export async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads what `writeDurably` wrote; of a file that is torn or gone, the version before. `null`: there is neither. Never throws for what stands in the files. */
export async function readDurably<Value>(path: string): Promise<Value | null> {
  for (const one of [path, `${path}.before`]) {
    const text = await readFile(one, 'utf8').catch(unlessMissing);
    const value = text === undefined ? undefined : valueIn<Value>(text);
    if (value !== undefined) return value;
  }
  return null;
}

/** `undefined` for a text that is torn. */
export function valueIn<Value>(text: string): Value | undefined {
  const [, sum, json] = /^([0-9a-f]{16}) (.*)\n$/s.exec(text) ?? [];
  return json !== undefined && sum === checksum(json) ? (JSON.parse(json) as Value) : undefined;
}

/** A new name is only there for good when its folder was synced. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** For `catch`: a file that is not there is no failure. */
export function unlessMissing(error: unknown): undefined {
  if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  return undefined;
}

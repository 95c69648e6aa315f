/** The agent's config file: read, and looked at for changes. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Config, readConfig } from './config.ts';
import { type Loop, repeat } from './loop.ts';

/** Between two looks at the file, in ms. */
const LOOK_MS = 2_000;
/** Readable by others than its owner. */
const OTHERS = 0o044;

export interface Loaded {
  readonly config: Config;
  /** Folder for what outlives the agent. */
  readonly state: string;
  /** Faults that stop nothing. */
  readonly warnings: readonly string[];
}

/** Reads the file. Paths in it are relative to its folder. Throws an error that names the file and everything that is wrong. */
export async function loadConfig(path: string): Promise<Loaded> {
  const folder = dirname(resolve(path));
  try {
    const config = readConfig(await readFile(path, 'utf8'));
    const { mode } = await stat(path);
    const services = [...config.services].map(([id, service]) => {
      const at = service.unit == null ? resolve(folder, service.folder ?? '.') : service.folder;
      return [id, { ...service, folder: at }] as const;
    });
    const isOpen = (mode & OTHERS) !== 0;
    return {
      config: { ...config, logs: config.logs.map((one) => resolve(folder, one)), services: new Map(services) },
      state: resolve(folder, config.state ?? `${config.agent}.state`),
      warnings: isOpen ? [`${path} holds a key, and others may read it: chmod 600 ${path}`] : [],
    };
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    if (code === 'ENOENT') throw new Error(`there is no file ${path}: it needs {"agent": …, "url": …, "key": …}`);
    throw new Error(
      message
        .split('\n')
        .map((line) => `${path}: ${line}`)
        .join('\n'),
    );
  }
}

/** Calls back when the file was changed: it is read again a look after its last change, when it is written whole. */
export function watchConfig(path: string, changed: () => Promise<void>, failed: (error: Error) => void): Loop {
  let read: string | null = null;
  let seen: string | null = null;
  const version = async (): Promise<string | null> => {
    const info = await stat(path, { bigint: true }).catch(() => null);
    return info && `${info.ino} ${info.size} ${info.mtimeNs}`;
  };
  return repeat(
    LOOK_MS,
    async () => {
      const now = await version();
      read ??= now;
      const isQuiet = now === seen;
      seen = now;
      if (now === null || now === read || !isQuiet) return false;
      read = now;
      await changed();
      return false;
    },
    failed,
  );
}

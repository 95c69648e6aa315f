/** `AWS::S3::Bucket`: objects by key, in memory or in a folder, deleted when their lifecycle ends. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { LocalClock } from '../base/clock.ts';

export interface LocalBucket {
  /** Serves `PUT` and `GET` of an object, with the platform's responses. */
  serve(method: string, key: string, body: Buffer, response: ServerResponse): void;
  has(key: string): boolean;
}

export interface BucketOptions {
  readonly dataDir: string | null;
  readonly id: string;
  /** Objects expire after this many days; `null` = never. */
  readonly lifeDays: number | null;
  readonly clock: LocalClock;
}

interface Store {
  put(key: string, body: Buffer, atMs: number): void;
  get(key: string): Buffer | null;
  /** Each key with the time of its put, in ms. */
  all(): Iterable<readonly [string, number]>;
  remove(key: string): void;
}

export function localBucket({ dataDir, id, lifeDays, clock }: BucketOptions): LocalBucket {
  const store = dataDir === null ? inMemory() : inFolder(join(dataDir, 'buckets', id));
  const clean = (): void => {
    if (lifeDays === null) return;
    for (const [key, atMs] of [...store.all()]) if (atMs < clock.now() - lifeDays * 86_400_000) store.remove(key);
  };
  return {
    has: (key) => store.get(key) !== null,
    serve(method, key, body, response) {
      clean();
      if (method === 'PUT') {
        store.put(key, body, clock.now());
        return void response.writeHead(200, { 'content-length': '0' }).end();
      }
      if (method !== 'GET') return void response.writeHead(405).end();
      const found = store.get(key);
      if (found) return void response.writeHead(200, { 'content-length': String(found.length) }).end(found);
      response
        .writeHead(404, { 'content-type': 'application/xml' })
        .end('<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>');
    },
  };
}

function inMemory(): Store {
  const objects = new Map<string, { body: Buffer; atMs: number }>();
  return {
    put: (key, body, atMs) => void objects.set(key, { body, atMs }),
    get: (key) => objects.get(key)?.body ?? null,
    *all() {
      for (const [key, { atMs }] of objects) yield [key, atMs];
    },
    remove: (key) => void objects.delete(key),
  };
}

function inFolder(folder: string): Store {
  mkdirSync(folder, { recursive: true });
  const fileOf = (key: string): string => join(folder, encodeURIComponent(key));
  return {
    put(key, body, atMs) {
      writeFileSync(fileOf(key), body);
      utimesSync(fileOf(key), atMs / 1000, atMs / 1000);
    },
    get: (key) => (readdirSync(folder).includes(encodeURIComponent(key)) ? readFileSync(fileOf(key)) : null),
    *all() {
      for (const name of readdirSync(folder)) {
        const key = keyOf(name);
        if (key !== null) yield [key, statSync(join(folder, name)).mtimeMs];
      }
    },
    remove: (key) => rmSync(fileOf(key), { force: true }),
  };
}

/** `null` for a file that is none of ours. */
function keyOf(name: string): string | null {
  try {
    return decodeURIComponent(name);
  } catch {
    return null;
  }
}

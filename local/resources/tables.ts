import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { askThread } from '../base/ask-thread.ts';
import { type TableLevers, tableLevers } from '../base/levers.ts';
import type { Statement } from '../base/policy.mjs';
import type { Resource } from '../base/template.ts';
import { deleteExpired } from './time-to-live.ts';

/** `AWS::DynamoDB::GlobalTable`: an embedded DynamoDB over its wire protocol, in memory or in a folder. */
export interface LocalTables {
  readonly endpoint: string;
  /** Creates a table, unless the folder contains it already. */
  create(table: Resource): Promise<void>;
  /** Deletes what has expired, in all tables. Returns the number of items. */
  deleteExpired(nowMs: number): Promise<number>;
  /** Bytes of live objects of the tables' thread, after a collection. */
  heap(): Promise<number>;
  /** The grants that allowed something, as `function action resource`. */
  /** Throttled writes so far, by table. */
  throttledWrites(): Promise<Readonly<Record<string, number>>>;
  used(): Promise<string[]>;
  stop(): Promise<void>;
}

const WORKER = fileURLToPath(new URL('./tables-worker.mjs', import.meta.url));

export interface TablesOptions {
  /** `null` = in memory. @default null */
  readonly dataDir?: string | null;
  /** Each function's permissions. @default none */
  readonly grants?: Readonly<Record<string, readonly Statement[]>>;
  /** @default all off */
  readonly levers?: TableLevers;
  /** Of the run's clock. @default no shift */
  readonly shift?: SharedArrayBuffer;
  /** Of the levers. @default 1 */
  readonly seed?: number;
  /** Told of calls that the grants do not allow. */
  readonly warn?: (message: string) => void;
}

/** Closing must not wait for a request whose caller is gone, in ms. */
const CLOSE_MS = 5_000;

export async function localTables({
  dataDir = null,
  grants = {},
  levers = tableLevers(),
  shift = new SharedArrayBuffer(8),
  seed = 1,
  warn,
}: TablesOptions = {}): Promise<LocalTables> {
  const path = dataDir === null ? null : join(dataDir, 'tables');
  if (path !== null) mkdirSync(path, { recursive: true });
  const worker = new Worker(WORKER, { workerData: { path, grants, levers: levers.shared, shift, seed } });
  const { endpoint, client, TableNames } = await open(worker).catch((cause: unknown) => {
    throw new Error(`the tables in ${String(path)} cannot be opened: is another run using DATA_DIR=${String(dataDir)}?`, { cause });
  });
  worker.on('message', ({ refusal }: { refusal?: string }) => {
    if (refusal !== undefined) warn?.(refusal);
  });
  const tables: Resource[] = [];
  return {
    endpoint,
    async create(table) {
      const { id, properties } = table;
      tables.push(table);
      if (TableNames.includes(id)) return;
      const { AttributeDefinitions, KeySchema } = properties as { AttributeDefinitions: never; KeySchema: never };
      await client.send(new CreateTableCommand({ TableName: id, AttributeDefinitions, KeySchema, BillingMode: 'PAY_PER_REQUEST' }));
    },
    async deleteExpired(nowMs) {
      let deleted = 0;
      for (const table of tables) deleted += await deleteExpired(table, nowMs, client);
      return deleted;
    },
    heap: () => askThread(worker, 'heap'),
    used: () => askThread(worker, 'used'),
    throttledWrites: () => askThread(worker, 'throttled'),
    async stop() {
      client.destroy();
      await Promise.race([askThread(worker, 'close'), sleep(CLOSE_MS, undefined, { ref: false })]);
      await worker.terminate();
    },
  };
}

/** Waits until the tables can be read: the port is there before the folder is locked, and a folder in use ends the thread only then. */
async function open(worker: Worker): Promise<{ endpoint: string; client: DynamoDBClient; TableNames: readonly string[] }> {
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }];
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new DynamoDBClient({ endpoint, region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
  const ended = new AbortController();
  const failed = once(worker, 'error', { signal: ended.signal }).then(([error]: unknown[]) => Promise.reject(error));
  try {
    const { TableNames = [] } = await Promise.race([client.send(new ListTablesCommand({})), failed]);
    return { endpoint, client, TableNames };
  } catch (error) {
    client.destroy();
    throw error;
  } finally {
    // its own rejection, once nobody waits for it any more
    failed.catch(() => undefined);
    ended.abort();
  }
}

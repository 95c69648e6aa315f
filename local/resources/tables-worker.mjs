// @ts-check
/** The embedded DynamoDB, in a thread of its own. It serves the real wire protocol on a loopback port. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';
import { heapBytes } from '../base/heap.mjs';

// an item that lives for a day would keep the whole 8 KB that its bytes were cut from
Buffer.poolSize = 0;

// dynalite ends its streams by `return()`, which these iterators do not have: each query would leave one open, and keep the
// tables as they were then
const ofDynalite = createRequire(import.meta.resolve('dynalite'));
const { AbstractKeyIterator, AbstractValueIterator } = createRequire(ofDynalite.resolve('memory-level'))('abstract-level');
for (const { prototype } of [AbstractKeyIterator, AbstractValueIterator]) prototype.return ??= prototype.close;

const server = dynalite({ path: workerData.path ?? undefined, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort?.postMessage({ port: typeof address === 'object' && address ? address.port : 0 });
});
parentPort?.on('message', (message) => {
  if (message === 'heap') return parentPort?.postMessage({ heap: heapBytes() });
  server.close(() => parentPort?.postMessage({ closed: true }));
  server.closeAllConnections?.();
});

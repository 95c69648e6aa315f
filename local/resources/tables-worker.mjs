// @ts-check
/** The embedded DynamoDB, in a thread of its own. It serves the real wire protocol on a loopback port. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';
import { heapBytes } from '../base/heap.mjs';
import { randomOf } from '../base/random.mjs';
import { tablesGate } from './tables-gate.mjs';

// an item that lives for a day would keep the whole 8 KB that its bytes were cut from
Buffer.poolSize = 0;

// dynalite ends its streams by `return()`, which these iterators do not have: each query would leave one open, and keep the
// tables as they were then
const ofDynalite = createRequire(import.meta.resolve('dynalite'));
const { AbstractKeyIterator, AbstractValueIterator } = createRequire(ofDynalite.resolve('memory-level'))('abstract-level');
for (const { prototype } of [AbstractKeyIterator, AbstractValueIterator]) prototype.return ??= prototype.close;

// a read on another thread costs many times the read itself, and nearly every read is of fresh data, which is in memory
const { ClassicLevel } = createRequire(ofDynalite.resolve('level'))('classic-level');
const { get: getLater } = ClassicLevel.prototype;
ClassicLevel.prototype.get = async function (/** @type {string} */ key, /** @type {object | undefined} */ options) {
  return this.status === 'open' ? this.getSync(key, options) : getLater.call(this, key, options);
};

const QUICK = { createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 };
const server = dynalite({ path: workerData.path ?? undefined, ...QUICK });
const listenerOf = (/** @type {any} */ one) => one.listeners('request')[0];
const shift = new Float64Array(workerData.shift);
const { serve, used, throttled } = tablesGate({
  main: listenerOf(server),
  makeReplica: () => listenerOf(dynalite(QUICK)),
  grants: workerData.grants,
  levers: new Float64Array(workerData.levers),
  now: () => Date.now() + (shift[0] ?? 0),
  random: randomOf(workerData.seed),
  tell: (refusal) => parentPort?.postMessage({ refusal }),
});
server.removeAllListeners('request');
server.on('request', (/** @type {any} */ request, /** @type {any} */ response) => {
  // a caller that is gone in the middle of its request
  serve(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort?.postMessage({ port: typeof address === 'object' && address ? address.port : 0 });
});
let closing = false;
parentPort?.on('message', (message) => {
  if (message === 'heap') return parentPort?.postMessage({ heap: heapBytes() });
  if (message === 'throttled') return parentPort?.postMessage({ throttled: throttled() });
  if (message === 'used') return parentPort?.postMessage({ used: used() });
  closing = true;
  server.close(() => parentPort?.postMessage({ close: true }));
  server.closeAllConnections?.();
});
// a request whose caller is gone may still be at work when the tables close
process.on('uncaughtException', (error) => {
  if (!closing || !/database is (closed|not open)/i.test(error.message)) throw error;
});

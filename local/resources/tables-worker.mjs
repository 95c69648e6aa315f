// @ts-check
/** The embedded DynamoDB, in a thread of its own. It serves the real wire protocol on a loopback port. */
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';

const server = dynalite({ path: workerData.path ?? undefined, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  parentPort?.postMessage({ port: typeof address === 'object' && address ? address.port : 0 });
});
parentPort?.once('message', () => {
  server.close(() => parentPort?.postMessage({ closed: true }));
  server.closeAllConnections?.();
});

import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/** Bytes of the live objects of a thread that answers `heap`, after a collection. */
export async function heapOf(worker: Worker): Promise<number> {
  worker.postMessage('heap');
  for (;;) {
    const [{ heap }] = (await once(worker, 'message')) as [{ heap?: number }];
    if (heap !== undefined) return heap;
  }
}

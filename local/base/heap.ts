import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/** Bytes of the live objects of a thread that answers `heap`, after a collection. Rejects if the thread ends before. */
export async function heapOf(worker: Worker): Promise<number> {
  const measured = new AbortController();
  const ended = once(worker, 'exit', { signal: measured.signal }).then(() => Promise.reject(new Error('the thread ended')));
  // its own rejection, once nobody waits for it any more
  ended.catch(() => undefined);
  worker.postMessage('heap');
  try {
    for (;;) {
      const [{ heap }] = (await Promise.race([once(worker, 'message'), ended])) as [{ heap?: number }];
      if (heap !== undefined) return heap;
    }
  } finally {
    measured.abort();
  }
}

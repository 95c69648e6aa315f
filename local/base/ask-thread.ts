import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';

/** Asks a thread by one word. It answers with a message that has the answer under that word. Rejects if the thread ends before. */
export async function askThread<Answer>(worker: Worker, word: string): Promise<Answer> {
  const answered = new AbortController();
  const ended = once(worker, 'exit', { signal: answered.signal }).then(() => Promise.reject(new Error('the thread ended')));
  // its own rejection, once nobody waits for it any more
  ended.catch(() => undefined);
  worker.postMessage(word);
  try {
    for (;;) {
      const [message] = (await Promise.race([once(worker, 'message'), ended])) as [Readonly<Record<string, Answer | undefined>>];
      const answer = message[word];
      if (answer !== undefined) return answer;
    }
  } finally {
    answered.abort();
  }
}

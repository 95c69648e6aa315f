import type { LocalFunction } from './function.ts';
import { MAX_ENVIRONMENTS } from './function.ts';
import { invocationTrace, loopsTooLong } from './loops.ts';
import type { LocalQueue, Received } from './queue.ts';

export interface MappingOptions {
  readonly queue: LocalQueue;
  readonly fn: LocalFunction;
  readonly batchSize: number;
  readonly maximumConcurrency: number;
  readonly reportsItemFailures: boolean;
  readonly queueArn: string;
  readonly warn: (message: string) => void;
}

/**
 * `AWS::Lambda::EventSourceMapping`: invokes a function with batches of a queue's messages, without batching window.
 * Messages that fail are retried after their visibility timeout.
 */
export function mapQueue({ queue, fn, batchSize, maximumConcurrency, reportsItemFailures, queueArn, warn }: MappingOptions): void {
  const limit = Math.min(maximumConcurrency, MAX_ENVIRONMENTS);
  let running = 0;
  let polled = false;

  const buryLoops = (batch: readonly Received[]): Received[] =>
    batch.filter(({ messageId, trace }) => {
      if (fn.mayLoop || !loopsTooLong(fn.name, trace)) return true;
      warn(
        `${fn.name} was invoked too often by what it caused itself (RecursiveInvocationException): the message goes to the dead letters`,
      );
      queue.bury(messageId);
      return false;
    });
  const work = async (received: Received[]): Promise<void> => {
    const batch = buryLoops(received);
    try {
      if (batch.length === 0) return;
      const trace = invocationTrace(
        fn.name,
        batch.map((message) => message.trace),
      );
      const result = (await fn.invoke({ Records: batch.map((message) => recordOf(message, queueArn)) }, trace)) as
        | { batchItemFailures?: { itemIdentifier: string }[] }
        | undefined;
      const failed = new Set(reportsItemFailures ? (result?.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier) : []);
      for (const { messageId } of batch) if (!failed.has(messageId)) queue.delete(messageId);
    } catch (error) {
      warn(`${fn.name}: ${error instanceof Error ? error.message : String(error)}; its ${batch.length} message(s) will be retried`);
    } finally {
      running--;
      poll();
    }
  };
  /** Deferred with `setImmediate`, so that a burst makes full batches. */
  const poll = (): void => {
    if (polled) return;
    polled = true;
    setImmediate(() => {
      polled = false;
      while (running < limit) {
        const batch = queue.receive(batchSize);
        if (batch.length === 0) return;
        running++;
        void work(batch);
      }
    });
  };
  queue.onVisible = poll;
}

const recordOf = ({ messageId, body, receives, sentAtMs, attributes }: Received, queueArn: string) => ({
  messageId,
  receiptHandle: messageId,
  body,
  attributes: {
    ApproximateReceiveCount: String(receives),
    SentTimestamp: String(sentAtMs),
    SenderId: 'local',
    ApproximateFirstReceiveTimestamp: String(sentAtMs),
  },
  messageAttributes: attributes,
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: 'local',
});

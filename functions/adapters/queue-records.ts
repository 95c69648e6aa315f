import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { QueueRecord } from '../../core/ports/jobs.ts';

/** Does the work of a batch. `work` returns the ids of the records that must come back; the queue deletes the others. */
export async function serveRecords(
  { Records }: SQSEvent,
  work: (records: readonly QueueRecord[]) => Promise<readonly string[]>,
): Promise<SQSBatchResponse> {
  const failed = await work(
    Records.map(({ messageId, body, attributes }) => ({ id: messageId, body, sentAtMs: Number(attributes.SentTimestamp) })),
  );
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

import type { SQSBatchResponse } from 'aws-lambda';

/** The records that must come back; the queue deletes the others. */
export const batchFailures = (ids: readonly string[]): SQSBatchResponse => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

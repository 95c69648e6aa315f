import type { SQSBatchResponse } from 'aws-lambda';

/** Tells the queue which records must come back; the others are done with. */
export const batchFailures = (ids: readonly string[]): SQSBatchResponse => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

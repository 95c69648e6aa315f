import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/** Made once a process; tests and the local run point it elsewhere by AWS_ENDPOINT_URL_DYNAMODB. */
export const documents = (): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });

/** An item as it was read: nothing is known of it yet. */
export type Item = Record<string, unknown>;

export const text = (item: Item, name: string): string => (typeof item[name] === 'string' ? item[name] : '');
export const number = (item: Item, name: string): number => (typeof item[name] === 'number' ? item[name] : 0);

/** A condition that did not hold, as an outcome. `item` is what stood there, where the database says so. */
export interface Refused {
  readonly item: Item | null;
}

/** Runs a conditional write; a lost race is an outcome and no failure. */
export async function conditional<Result>(
  write: () => Promise<Result>,
): Promise<{ readonly done: Result; readonly refused: null } | { readonly done: null; readonly refused: Refused }> {
  try {
    return { done: await write(), refused: null };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { done: null, refused: { item: error.Item ? unmarshall(error.Item) : null } };
  }
}

/** TTL deletes days late, so every reader checks for itself. `expiresAt` is in seconds, as TTL wants it. */
export const expired = (item: Item, nowMs: number): boolean => typeof item['expiresAt'] === 'number' && item['expiresAt'] * 1000 <= nowMs;

export const ttl = (atMs: number): number => Math.ceil(atMs / 1000);

import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { bounded, chunksOf } from '../../../core/base/concurrency.ts';
import type { Item } from './client.ts';

/** DynamoDB's limit. */
const MAX_KEYS = 100;

/** Reads items by key, strongly consistent, 100 a request; missing ones are left out. */
export async function readKeys(client: DynamoDBDocumentClient, table: string, keys: readonly Item[]): Promise<Item[]> {
  const found: Item[] = [];
  await bounded(chunksOf(keys, MAX_KEYS), 8, async (chunk) => {
    let wanted: Item[] = [...chunk];
    for (let pauseMs = 50; wanted.length > 0; pauseMs *= 2) {
      const { Responses, UnprocessedKeys } = await client.send(
        new BatchGetCommand({ RequestItems: { [table]: { Keys: wanted, ConsistentRead: true } } }),
      );
      found.push(...(Responses?.[table] ?? []));
      wanted = UnprocessedKeys?.[table]?.Keys ?? [];
      // what was left out was throttled
      if (wanted.length > 0) await new Promise((done) => setTimeout(done, Math.min(pauseMs, 1_000)));
    }
  });
  return found;
}

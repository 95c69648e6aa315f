import { BatchWriteItemCommand, type DynamoDBClient, paginateScan, type WriteRequest } from '@aws-sdk/client-dynamodb';
import type { Resource } from '../base/template.ts';

/** The platform deletes expired items late: within days. Here it is minutes, so that a run of days does not grow. */
export const TTL_DELAY_MS = 5 * 60_000;

/** A write deletes at most so many items. */
const AT_ONCE = 25;

/** Deletes the items of a table whose time to live is over. Returns how many. */
export async function deleteExpired({ id, properties }: Resource, nowMs: number, client: DynamoDBClient): Promise<number> {
  const { AttributeName, Enabled } = (properties['TimeToLiveSpecification'] ?? {}) as { AttributeName?: string; Enabled?: boolean };
  if (!AttributeName || !Enabled) return 0;
  const keys = (properties['KeySchema'] as { AttributeName: string }[]).map((key) => key.AttributeName);
  const expired = {
    TableName: id,
    ProjectionExpression: keys.map((_, index) => `#key${index}`).join(','),
    FilterExpression: '#ttl < :now',
    ExpressionAttributeNames: { '#ttl': AttributeName, ...Object.fromEntries(keys.map((key, index) => [`#key${index}`, key])) },
    ExpressionAttributeValues: { ':now': { N: String(Math.floor((nowMs - TTL_DELAY_MS) / 1000)) } },
  };
  let deleted = 0;
  for await (const { Items = [] } of paginateScan({ client }, expired)) {
    const requests: WriteRequest[] = Items.map((Key) => ({ DeleteRequest: { Key } }));
    for (let from = 0; from < requests.length; from += AT_ONCE)
      await client.send(new BatchWriteItemCommand({ RequestItems: { [id]: requests.slice(from, from + AT_ONCE) } }));
    deleted += Items.length;
  }
  return deleted;
}

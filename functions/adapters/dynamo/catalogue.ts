import { DeleteCommand, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { bounded } from '../../../core/base/concurrency.ts';
import type { Catalogue } from '../../../core/ports.ts';
import { readKeys } from './batch-get.ts';
import { conditional, documents, type Item, number, text, ttl } from './client.ts';
import { acceptedKey, heardKey, listedKey, stateKey, statusKey } from './keys.ts';

/** An event's id makes it idempotent for a day (`docs/protocol.md`, "Publishing"). */
const IDEMPOTENT_MS = 86_400_000;

export function dynamoCatalogue({ table, client = documents() }: { table: string; client?: ReturnType<typeof documents> }): Catalogue {
  const all = async (partition: string): Promise<Item[]> => {
    const found: Item[] = [];
    let start: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: '#topic = :partition',
          ExpressionAttributeNames: { '#topic': 'topic' },
          ExpressionAttributeValues: { ':partition': partition },
          ExclusiveStartKey: start,
        }),
      );
      found.push(...Items);
      start = LastEvaluatedKey;
    } while (start);
    return found;
  };
  const nameOf = (item: Item): string | null => (typeof item['name'] === 'string' ? item['name'] : null);

  return {
    async list(channel, entries) {
      await bounded(entries, 16, async ({ topic, name }) => {
        await client.send(
          new UpdateCommand({
            TableName: table,
            Key: listedKey(channel, topic),
            UpdateExpression: name === null ? 'SET #listed = :true' : 'SET #listed = :true, #name = :name',
            ExpressionAttributeNames: { '#listed': 'listed', ...(name === null ? {} : { '#name': 'name' }) },
            ExpressionAttributeValues: { ':true': true, ...(name === null ? {} : { ':name': name }) },
          }),
        );
      });
    },
    async markListed(topic) {
      await client.send(
        new UpdateCommand({
          TableName: table,
          Key: stateKey(topic),
          UpdateExpression: 'SET #listed = :true',
          ExpressionAttributeNames: { '#listed': 'listed' },
          ExpressionAttributeValues: { ':true': true },
        }),
      );
    },
    async topics(channel) {
      return (await all(listedKey(channel, '').topic)).map((item) => ({ topic: text(item, 'item'), name: nameOf(item) }));
    },
    async names(channel, topics) {
      const items = await readKeys(
        client,
        table,
        topics.map((topic) => listedKey(channel, topic)),
      );
      return new Map(items.flatMap((item) => (nameOf(item) === null ? [] : [[text(item, 'item'), text(item, 'name')]])));
    },
    async addHeard(topic, atMs) {
      await client.send(new PutCommand({ TableName: table, Item: { ...heardKey(topic), at: atMs } }));
    },
    async markLeaving(topic) {
      await client.send(
        new UpdateCommand({
          TableName: table,
          Key: heardKey(topic),
          UpdateExpression: 'SET #leaving = :true',
          ExpressionAttributeNames: { '#leaving': 'leaving' },
          ExpressionAttributeValues: { ':true': true },
        }),
      );
    },
    async heard() {
      return (await all(heardKey('').topic)).map((item) => ({
        topic: text(item, 'item'),
        atMs: number(item, 'at'),
        leaving: item['leaving'] === true,
      }));
    },
    async removeHeard(topic, atMs) {
      await conditional(() =>
        client.send(
          new DeleteCommand({
            TableName: table,
            Key: heardKey(topic),
            ConditionExpression: '#at = :at',
            ExpressionAttributeNames: { '#at': 'at' },
            ExpressionAttributeValues: { ':at': atMs },
          }),
        ),
      );
    },
    async saveStatus(name, status) {
      await client.send(new PutCommand({ TableName: table, Item: { ...statusKey(name), status } }));
    },
    async status(name) {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: statusKey(name) }));
      return (Item?.['status'] as Record<string, unknown> | undefined) ?? null;
    },
    async firstAcceptance(eventId, given) {
      const key = acceptedKey(eventId);
      const { refused } = await conditional(() =>
        client.send(
          new PutCommand({
            TableName: table,
            Item: { ...key, at: given.acceptedAtMs, index: given.index, expiresAt: ttl(given.acceptedAtMs + IDEMPOTENT_MS) },
            // TTL deletes days late: what has expired is as good as gone
            ConditionExpression: 'attribute_not_exists(#at) OR #expiresAt <= :now',
            ExpressionAttributeNames: { '#at': 'at', '#expiresAt': 'expiresAt' },
            ExpressionAttributeValues: { ':now': ttl(given.acceptedAtMs) },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ),
      );
      if (!refused) return given;
      const first = refused.item ?? (await client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item ?? {};
      return { acceptedAtMs: number(first, 'at'), index: number(first, 'index') };
    },
  };
}

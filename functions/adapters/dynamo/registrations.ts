import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Registrations } from '../../../core/ports.ts';
import { formatPosition, parsePosition } from '../../../core/position.ts';
import { conditional, documents, expired, text, ttl } from './client.ts';
import { registrationKey } from './keys.ts';

export interface RegistrationsOptions {
  readonly table: string;
  readonly now?: () => number;
  readonly client?: ReturnType<typeof documents>;
}

export function dynamoRegistrations({ table, now = Date.now, client = documents() }: RegistrationsOptions): Registrations {
  return {
    async register(topic, { epoch, offset }, expiresAtMs) {
      const expiresAt = ttl(expiresAtMs);
      const { refused } = await conditional(() =>
        client.send(
          new PutCommand({
            TableName: table,
            Item: { ...registrationKey(topic), position: formatPosition(epoch, offset), expiresAt },
            // TTL deletes days late: what has lapsed is as good as gone
            ConditionExpression: 'attribute_not_exists(#kind) OR #expiresAt <= :now',
            ExpressionAttributeNames: { '#kind': 'kind', '#expiresAt': 'expiresAt' },
            ExpressionAttributeValues: { ':now': ttl(now()) },
          }),
        ),
      );
      if (!refused) return;
      const { refused: gone } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: registrationKey(topic),
            UpdateExpression: 'SET #expiresAt = :expiresAt',
            ConditionExpression: 'attribute_exists(#kind)',
            ExpressionAttributeNames: { '#kind': 'kind', '#expiresAt': 'expiresAt' },
            ExpressionAttributeValues: { ':expiresAt': expiresAt },
          }),
        ),
      );
      // it was used up just now: the new one starts where the topic stands
      if (gone) await this.register(topic, { epoch, offset }, expiresAtMs);
    },
    async find(topic) {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: registrationKey(topic), ConsistentRead: true }));
      return Item && !expired(Item, now()) ? parsePosition(text(Item, 'position')) : null;
    },
    async remove(topic) {
      await client.send(new DeleteCommand({ TableName: table, Key: registrationKey(topic) }));
    },
  };
}

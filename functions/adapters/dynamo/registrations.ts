import { DeleteCommand, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { formatPosition, parsePosition } from '../../../core/base/position.ts';
import type { Registrations } from '../../../core/ports.ts';
import { conditional, documents, expired, text, ttl } from './client.ts';
import { registrationKey } from './keys.ts';

export interface RegistrationsOptions {
  readonly table: string;
  readonly now?: () => number;
  readonly client?: ReturnType<typeof documents>;
}

const NAMES = { '#kind': 'kind', '#expiresAt': 'expiresAt' } as const;

export function dynamoRegistrations({ table, now = Date.now, client = documents() }: RegistrationsOptions): Registrations {
  return {
    async register(topic, registration, expiresAtMs) {
      const { position, stamp } = registration;
      const expiresAt = ttl(expiresAtMs);
      const { refused } = await conditional(() =>
        client.send(
          new PutCommand({
            TableName: table,
            Item: { ...registrationKey(topic), position: formatPosition(position.epoch, position.offset), stamp, expiresAt },
            // TTL deletes days late: what has lapsed is as good as gone
            ConditionExpression: 'attribute_not_exists(#kind) OR #expiresAt <= :now',
            ExpressionAttributeNames: NAMES,
            ExpressionAttributeValues: { ':now': ttl(now()) },
          }),
        ),
      );
      if (!refused) return;
      const { refused: later } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: registrationKey(topic),
            UpdateExpression: 'SET #stamp = :stamp, #expiresAt = :expiresAt',
            ConditionExpression: 'attribute_exists(#kind) AND #expiresAt <= :expiresAt',
            ExpressionAttributeNames: { ...NAMES, '#stamp': 'stamp' },
            ExpressionAttributeValues: { ':expiresAt': expiresAt, ':stamp': stamp },
          }),
        ),
      );
      if (!later) return;
      // it lapses later already; or it was used up just now, and the new one starts where the topic stands
      if (await this.find(topic)) return;
      await this.register(topic, registration, expiresAtMs);
    },
    async find(topic) {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: registrationKey(topic), ConsistentRead: true }));
      const position = Item && !expired(Item, now()) ? parsePosition(text(Item, 'position')) : null;
      return Item && position ? { position, stamp: text(Item, 'stamp') } : null;
    },
    async useUp(topic, stamp) {
      await conditional(() =>
        client.send(
          new DeleteCommand({
            TableName: table,
            Key: registrationKey(topic),
            ConditionExpression: '#stamp = :stamp',
            ExpressionAttributeNames: { '#stamp': 'stamp' },
            ExpressionAttributeValues: { ':stamp': stamp },
          }),
        ),
      );
    },
    async remove(topic) {
      await client.send(new DeleteCommand({ TableName: table, Key: registrationKey(topic) }));
    },
  };
}

import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expiryOf } from '../../../core/expiry.ts';
import type { Clients, Membership } from '../../../core/ports.ts';
import { conditional, documents, type Item, ttl } from './client.ts';
import { clientKey } from './keys.ts';

export interface ClientsOptions {
  readonly table: string;
  readonly client?: ReturnType<typeof documents>;
}

const NAMES = { '#members': 'members' } as const;

/** A client is one item with a set of its connections, so that one write counts and tells who else there is. */
export function dynamoClients({ table, client = documents() }: ClientsOptions): Clients {
  return {
    async enter(name, member, nowMs) {
      const { Attributes = {} } = await client.send(
        new UpdateCommand({
          TableName: table,
          Key: clientKey(name),
          UpdateExpression: 'SET #expiresAt = :expiresAt ADD #members :member',
          ExpressionAttributeNames: { ...NAMES, '#expiresAt': 'expiresAt' },
          ExpressionAttributeValues: { ':expiresAt': ttl(expiryOf(nowMs)), ':member': new Set([nameOf(member)]) },
          ReturnValues: 'ALL_NEW',
        }),
      );
      // one whose time is over was closed by the platform, whoever noticed
      return membersOf(Attributes).filter(({ connectedAtMs }) => expiryOf(connectedAtMs) > nowMs);
    },
    async leave(name, member) {
      await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: clientKey(name),
            UpdateExpression: 'DELETE #members :member',
            ConditionExpression: 'attribute_exists(#members)',
            ExpressionAttributeNames: NAMES,
            ExpressionAttributeValues: { ':member': new Set([nameOf(member)]) },
          }),
        ),
      );
    },
  };
}

const nameOf = ({ connectedAtMs, connectionId }: Membership): string => `${connectedAtMs}#${connectionId}`;

const membersOf = (item: Item): Membership[] =>
  [...((item['members'] as Set<string> | undefined) ?? [])].map((name) => {
    const [connectedAt = '', connectionId = ''] = name.split('#');
    return { connectedAtMs: Number(connectedAt), connectionId };
  });

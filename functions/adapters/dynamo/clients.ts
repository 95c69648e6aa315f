import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expiryOf } from '../../../core/base/lifetimes.ts';
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
      const members = membersOf(Attributes);
      const over = members.filter(({ connectedAtMs }) => expiryOf(connectedAtMs) <= nowMs);
      for (const one of over) await this.leave(name, one);
      return members.filter((one) => !over.includes(one));
    },
    async leave(name, member) {
      const { done } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: clientKey(name),
            UpdateExpression: 'DELETE #members :member',
            ConditionExpression: 'attribute_exists(#members)',
            ExpressionAttributeNames: NAMES,
            ExpressionAttributeValues: { ':member': new Set([nameOf(member)]) },
            ReturnValues: 'ALL_NEW',
          }),
        ),
      );
      if (!done || membersOf(done.Attributes ?? {}).length > 0) return;
      // the sweep reads the whole table: what says nothing is not left in it
      await conditional(() =>
        client.send(
          new DeleteCommand({
            TableName: table,
            Key: clientKey(name),
            ConditionExpression: 'attribute_not_exists(#members)',
            ExpressionAttributeNames: NAMES,
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

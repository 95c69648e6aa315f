import { expiryOf } from '../../../core/base/lifetimes.ts';
import type { Clients, Membership } from '../../../core/ports/clients.ts';
import { type Item, ttl } from './item.ts';
import { clientKey } from './keys.ts';
import type { Table } from './table.ts';

/** A client is one item with a set of its connections: one write counts a connection, and returns the others. */
export function dynamoClients({ table }: { readonly table: Table }): Clients {
  const leave = async (name: string, member: Membership): Promise<void> => {
    const { held, item } = await table.update(clientKey(name), {
      takeOut: { members: new Set([nameOf(member)]) },
      when: 'attribute_exists(#members)',
      returns: 'ALL_NEW',
    });
    if (!held || membersOf(item).length > 0) return;
    // the sweep reads the whole table: an empty item is not left in it
    await table.delete(clientKey(name), { when: 'attribute_not_exists(#members)' });
  };
  return {
    async enter(name, member, nowMs) {
      const { item } = await table.update(clientKey(name), {
        set: { expiresAt: ttl(expiryOf(nowMs)) },
        add: { members: new Set([nameOf(member)]) },
        returns: 'ALL_NEW',
      });
      // the platform has closed a connection whose time is over, even if nothing noticed
      const members = membersOf(item ?? {});
      const over = members.filter(({ connectedAtMs }) => expiryOf(connectedAtMs) <= nowMs);
      for (const one of over) await leave(name, one);
      return members.filter((one) => !over.includes(one));
    },
    members: async (name) => membersOf((await table.get(clientKey(name))) ?? {}),
    leave,
  };
}

const nameOf = ({ connectedAtMs, connectionId }: Membership): string => `${connectedAtMs}#${connectionId}`;

const membersOf = (item: Item): Membership[] =>
  [...((item['members'] as Set<string> | undefined) ?? [])].map((name) => {
    const [connectedAt = '', connectionId = ''] = name.split('#');
    return { connectedAtMs: Number(connectedAt), connectionId };
  });

import { expiryOf } from '../../../core/base/lifetimes.ts';
import type { Clients, Membership } from '../../../core/ports/clients.ts';

export function memoryClients(): Clients {
  const all = new Map<string, Map<string, Membership>>();
  return {
    async enter(client, { connectionId, connectedAtMs }, nowMs) {
      const members = all.get(client) ?? new Map<string, Membership>();
      all.set(client, members.set(connectionId, { connectionId, connectedAtMs }));
      return [...members.values()].filter((one) => expiryOf(one.connectedAtMs) > nowMs);
    },
    members: async (client) => [...(all.get(client)?.values() ?? [])],
    async leave(client, { connectionId }) {
      all.get(client)?.delete(connectionId);
    },
  };
}

import type { SubscriptionKey } from '../../../core/ports/audience.ts';
import type { OwnSubscription, OwnSubscriptions } from '../../../core/ports/own-subscriptions.ts';
import { subscriptionOf } from './connection-items.ts';
import { type Item, ttl } from './item.ts';
import { subscriptionKey, subscriptionPrefix } from './keys.ts';
import type { Table } from './table.ts';

const FREE = 'attribute_not_exists(#connectionId)';

export function dynamoOwnSubscriptions({ table }: { readonly table: Table }): OwnSubscriptions {
  return {
    async add(key, atMs, expiresAtMs, unasked = false) {
      const item = { ...itemOf(key, atMs, expiresAtMs), ...(unasked ? { unasked } : {}) };
      await table.put(item, unasked ? { when: FREE } : {});
    },
    claim: async (key, atMs, expiresAtMs) => (await table.put(itemOf(key, atMs, expiresAtMs), { when: FREE })).held,
    async remove(key, only) {
      const condition =
        only === undefined
          ? {}
          : only === 'unasked'
            ? { when: '#unasked = :true', values: { true: true } }
            : { when: '#at <= :askedBy', values: { askedBy: only.askedBy } };
      await table.delete(subscriptionKey(key), condition);
    },
    async list(connectionId, subscriptionId) {
      const found: OwnSubscription[] = [];
      const range = {
        where: '#connectionId = :connectionId AND begins_with(#item, :prefix)',
        values: { connectionId, prefix: subscriptionPrefix(subscriptionId) },
        consistent: true,
      };
      for await (const page of table.query(range))
        found.push(...page.map((item) => ({ ...subscriptionOf(item), unasked: item['unasked'] === true })));
      return found;
    },
  };
}

const itemOf = (key: SubscriptionKey, atMs: number, expiresAtMs: number): Item => ({
  ...subscriptionKey(key),
  id: key.subscriptionId,
  topic: key.topic,
  shard: key.shard,
  at: atMs,
  expiresAt: ttl(expiresAtMs),
});

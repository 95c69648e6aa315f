/** Items of the connections table, read. */
import type { Principal } from '../../../core/identity.ts';
import type { Dialect, SubscriptionKey } from '../../../core/ports/audience.ts';
import type { Connection, Defaults, Swept } from '../../../core/ports/connections.ts';
import { expired, type Item, number, text } from './item.ts';
import { SUBSCRIPTION_PREFIX } from './keys.ts';

export function sweptOf(item: Item, nowMs: number): Swept[] {
  const name = text(item, 'item');
  if (name === 'self') return [{ kind: 'connection', connection: connectionOf(item) }];
  if (!name.startsWith(SUBSCRIPTION_PREFIX) || expired(item, nowMs)) return [];
  return [{ kind: 'subscription', key: subscriptionOf(item), atMs: number(item, 'at') }];
}

export const subscriptionOf = (item: Item): SubscriptionKey => ({
  connectionId: text(item, 'connectionId'),
  subscriptionId: text(item, 'id'),
  topic: text(item, 'topic'),
  shard: number(item, 'shard'),
});

export const connectionOf = (item: Item): Connection => ({
  connectionId: text(item, 'connectionId'),
  clientId: text(item, 'clientId'),
  dialect: (text(item, 'dialect') || 'json') as Dialect,
  connectedAtMs: number(item, 'connectedAt'),
  expiresAtMs: number(item, 'expiresAt') * 1000,
  sourceIp: text(item, 'sourceIp'),
  principal: (item['principal'] as Principal | undefined) ?? null,
  admitted: item['admitted'] === true,
  touchedAtMs: number(item, 'touchedAt'),
  announced: text(item, 'announced') || null,
  defaults: (item['defaults'] as Defaults | undefined) ?? null,
  greetedAtMs: number(item, 'greetedAt'),
  pingedAtMs: number(item, 'pingedAt'),
  pongedAtMs: number(item, 'pongedAt'),
  refusedAtMs: number(item, 'refusedAt'),
  deliveredAtMs: number(item, 'deliveredAt'),
});

/** Items of the connections table, and what they say. */
import type { Principal } from '../../../core/identity.ts';
import type { Broadcasts, Connection, Dialect, SubscriptionKey, Swept } from '../../../core/ports.ts';
import { expired, type Item, number, text, ttl } from './client.ts';
import { SUBSCRIPTION_PREFIX, subscriptionKey } from './keys.ts';

export function sweptOf(item: Item, nowMs: number): Swept[] {
  const name = text(item, 'item');
  if (name === 'self') return [{ kind: 'connection', connection: connectionOf(item) }];
  if (!name.startsWith(SUBSCRIPTION_PREFIX) || expired(item, nowMs)) return [];
  return [{ kind: 'subscription', key: subscriptionOf(text(item, 'connectionId'), item), atMs: number(item, 'at') }];
}

export const subscriptionItem = (connectionId: string, key: SubscriptionKey, atMs: number, expiresAtMs: number): Item => ({
  ...subscriptionKey(connectionId, key),
  id: key.subscriptionId,
  topic: key.topic,
  shard: key.shard,
  at: atMs,
  expiresAt: ttl(expiresAtMs),
});

export const subscriptionOf = (connectionId: string, item: Item): SubscriptionKey => ({
  connectionId,
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
  broadcasts: (item['broadcasts'] as Broadcasts | undefined) ?? null,
  greetedAtMs: number(item, 'greetedAt'),
  pingedAtMs: number(item, 'pingedAt'),
  pongedAtMs: number(item, 'pongedAt'),
  toldAtMs: number(item, 'toldAt'),
});

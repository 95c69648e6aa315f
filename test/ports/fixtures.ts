import type { Subscription, SubscriptionKey } from '../../core/ports/audience.ts';
import type { NewConnection } from '../../core/ports/connections.ts';
import type { StateCommit } from '../../core/ports/topics.ts';
import type { Tables } from './implementations.ts';

let serial = 0;

/** A name that no other test of the file uses. */
export const fresh = (kind: string): string => `${kind}-${serial++}`;

export const stateCommit = (topic: string, order: string, over: Partial<StateCommit> = {}): StateCommit => ({
  kind: 'state',
  topic,
  part: 'price',
  order,
  value: { order },
  append: { recent: `point-${order}` },
  ahead: false,
  ...over,
});

export const key = (topic: string, connectionId: string): SubscriptionKey => ({ topic, shard: 0, connectionId, subscriptionId: '' });

export const subscription = (topic: string, connectionId: string, over: Partial<Subscription> = {}): Subscription => ({
  ...key(topic, connectionId),
  dialect: 'json',
  from: 0,
  late: null,
  notBeforeMs: 0,
  strikes: 0,
  filter: null,
  registration: null,
  ...over,
});

export const opened = (connectionId: string): NewConnection => ({
  connectionId,
  clientId: `client of ${connectionId}`,
  dialect: 'json',
  connectedAtMs: 1_000_000,
  expiresAtMs: 9_000_000,
  sourceIp: '127.0.0.1',
  principal: null,
  admitted: true,
});

/** The whole audience of a topic. */
export async function audienceOf({ audience }: Tables, topic: string): Promise<Subscription[]> {
  const all: Subscription[] = [];
  for await (const page of audience.pages(topic, 0)) all.push(...page);
  return all;
}

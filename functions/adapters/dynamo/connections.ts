import { DeleteCommand, GetCommand, PutCommand, QueryCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Principal } from '../../../core/identity.ts';
import type { Connection, Connections, Dialect, SubscriptionKey, Swept } from '../../../core/ports.ts';
import { addTimes, countIn, firstTimes, staleCount } from './arrival.ts';
import { conditional, documents, expired, type Item, number, text, ttl } from './client.ts';
import { counterKey, SUBSCRIPTION_PREFIX, selfKey, subscriptionKey, subscriptionPrefix } from './keys.ts';

export interface ConnectionsOptions {
  readonly table: string;
  readonly now?: () => number;
  readonly client?: ReturnType<typeof documents>;
}

/** Of two CONNECTs the first counts. A JSON connection is admitted by its handshake, and becomes one of STOMP by its first frame. */
const ADMITTED_ONCE = 'attribute_exists(connectionId) AND (attribute_not_exists(admitted) OR dialect = :json)';

export function dynamoConnections({ table, now = Date.now, client = documents() }: ConnectionsOptions): Connections {
  const addToCounter = async (by: number): Promise<number> => {
    const { Attributes = {} } = await client.send(
      new UpdateCommand({
        TableName: table,
        Key: counterKey,
        UpdateExpression: 'ADD #count :by',
        ExpressionAttributeNames: { '#count': 'count' },
        ExpressionAttributeValues: { ':by': by },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return number(Attributes, 'count');
  };
  /** False where the record is gone. */
  const setOnSelf = async (
    connectionId: string,
    sets: Item,
    condition = 'attribute_exists(connectionId)',
    values: Item = {},
  ): Promise<boolean> => {
    const names = Object.keys(sets);
    const { refused } = await conditional(() =>
      client.send(
        new UpdateCommand({
          TableName: table,
          Key: selfKey(connectionId),
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: condition,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: { ...values, ...Object.fromEntries(names.map((name) => [`:${name}`, sets[name]])) },
        }),
      ),
    );
    return refused === null;
  };

  return {
    async open({ connectionId, clientId, dialect, connectedAtMs, expiresAtMs, sourceIp, principal, admitted }) {
      const [, count] = await Promise.all([
        client.send(
          new PutCommand({
            TableName: table,
            Item: {
              ...selfKey(connectionId),
              clientId,
              dialect,
              connectedAt: connectedAtMs,
              expiresAt: ttl(expiresAtMs),
              sourceIp,
              ...(admitted ? { admitted } : {}),
              ...(principal ? { principal } : {}),
              ...firstTimes,
            },
          }),
        ),
        addToCounter(1),
      ]);
      return count;
    },
    async touch(connectionId, { atMs, nowMs, pong, subscribes, weight }) {
      const arrival = addTimes(atMs, weight);
      const { done: old } = await conditional(async () => {
        const { Attributes = {} } = await client.send(
          new UpdateCommand({
            TableName: table,
            Key: selfKey(connectionId),
            UpdateExpression: `SET ${arrival.sets}, greetedAt = if_not_exists(greetedAt, :greetedAt)${pong ? ', pongedAt = :now' : ''} ADD ${arrival.adds}, subscribes :subscribes`,
            ConditionExpression: 'attribute_exists(connectionId)',
            ExpressionAttributeValues: { ...arrival.values, ':subscribes': subscribes, ':greetedAt': nowMs },
            ReturnValues: 'ALL_OLD',
          }),
        );
        return Attributes as Item;
      });
      if (!old) return null;
      const stale = staleCount(old, atMs);
      if (stale) {
        await conditional(() =>
          client.send(
            new UpdateCommand({
              TableName: table,
              Key: selfKey(connectionId),
              UpdateExpression: `ADD ${stale.slot} :by`,
              ConditionExpression: 'attribute_exists(connectionId)',
              ExpressionAttributeValues: { ':by': -stale.count },
            }),
          ),
        );
      }
      const greet = old['greetedAt'] === undefined;
      return {
        connection: { ...connectionOf(old), touchedAtMs: atMs, ...(greet ? { greetedAtMs: nowMs } : {}) },
        greet,
        inThisSecond: countIn(old, atMs) + weight,
        tenthLastMs: number(old, 't8'),
        subscribes: number(old, 'subscribes') + subscribes,
      };
    },
    async claimGreeting(connectionId, atMs) {
      const { done } = await conditional(async () => {
        const { Attributes = {} } = await client.send(
          new UpdateCommand({
            TableName: table,
            Key: selfKey(connectionId),
            UpdateExpression: 'SET greetedAt = :now',
            ConditionExpression: 'attribute_exists(connectionId) AND attribute_not_exists(greetedAt)',
            ExpressionAttributeValues: { ':now': atMs },
            ReturnValues: 'ALL_NEW',
          }),
        );
        return connectionOf(Attributes);
      });
      return done;
    },
    async addSubscription(connectionId, key, atMs, expiresAtMs) {
      await client.send(new PutCommand({ TableName: table, Item: subscriptionItem(connectionId, key, atMs, expiresAtMs) }));
    },
    async claimSubscription(connectionId, key, atMs, expiresAtMs) {
      const { refused } = await conditional(() =>
        client.send(
          new PutCommand({
            TableName: table,
            Item: subscriptionItem(connectionId, key, atMs, expiresAtMs),
            ConditionExpression: 'attribute_not_exists(connectionId)',
          }),
        ),
      );
      return refused === null;
    },
    async removeSubscription(connectionId, key) {
      await client.send(new DeleteCommand({ TableName: table, Key: subscriptionKey(connectionId, key) }));
    },
    async subscriptions(connectionId, subscriptionId) {
      const keys: SubscriptionKey[] = [];
      let start: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'connectionId = :id AND begins_with(#item, :prefix)',
            ExpressionAttributeNames: { '#item': 'item' },
            ExpressionAttributeValues: { ':id': connectionId, ':prefix': subscriptionPrefix(subscriptionId) },
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        );
        keys.push(...Items.map((item) => subscriptionOf(connectionId, item)));
        start = LastEvaluatedKey;
      } while (start);
      return keys;
    },
    async read(connectionId) {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key: selfKey(connectionId), ConsistentRead: true }));
      return Item ? connectionOf(Item) : null;
    },
    admit: (connectionId, { dialect, principal }) =>
      setOnSelf(connectionId, { dialect, admitted: true, ...(principal ? { principal } : {}) }, ADMITTED_ONCE, { ':json': 'json' }),
    async resetSubscribes(connectionId, subscribes) {
      await setOnSelf(connectionId, { subscribes });
    },
    async close(connectionId) {
      const { Attributes } = await client.send(
        new DeleteCommand({ TableName: table, Key: selfKey(connectionId), ReturnValues: 'ALL_OLD' }),
      );
      if (!Attributes) return null;
      await addToCounter(-1);
      return connectionOf(Attributes);
    },
    async count() {
      const { Item = {} } = await client.send(new GetCommand({ TableName: table, Key: counterKey }));
      return Math.max(0, number(Item, 'count'));
    },
    async setCount(count) {
      await client.send(new PutCommand({ TableName: table, Item: { ...counterKey, count } }));
    },
    async pinged(connectionId, atMs) {
      await setOnSelf(connectionId, { pingedAt: atMs });
    },
    async told(connectionId, atMs) {
      await setOnSelf(connectionId, { toldAt: atMs });
    },
    async *scan(segment, segments) {
      let start: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new ScanCommand({ TableName: table, Segment: segment, TotalSegments: segments, ExclusiveStartKey: start }),
        );
        yield Items.flatMap((item) => sweptOf(item, now()));
        start = LastEvaluatedKey;
      } while (start);
    },
  };
}

function sweptOf(item: Item, nowMs: number): Swept[] {
  const name = text(item, 'item');
  if (name === 'self') return [{ kind: 'connection', connection: connectionOf(item) }];
  if (!name.startsWith(SUBSCRIPTION_PREFIX) || expired(item, nowMs)) return [];
  return [{ kind: 'subscription', key: subscriptionOf(text(item, 'connectionId'), item), atMs: number(item, 'at') }];
}

const subscriptionItem = (connectionId: string, key: SubscriptionKey, atMs: number, expiresAtMs: number): Item => ({
  ...subscriptionKey(connectionId, key),
  id: key.subscriptionId,
  topic: key.topic,
  shard: key.shard,
  at: atMs,
  expiresAt: ttl(expiresAtMs),
});

const subscriptionOf = (connectionId: string, item: Item): SubscriptionKey => ({
  connectionId,
  subscriptionId: text(item, 'id'),
  topic: text(item, 'topic'),
  shard: number(item, 'shard'),
});

const connectionOf = (item: Item): Connection => ({
  connectionId: text(item, 'connectionId'),
  clientId: text(item, 'clientId'),
  dialect: (text(item, 'dialect') || 'json') as Dialect,
  connectedAtMs: number(item, 'connectedAt'),
  expiresAtMs: number(item, 'expiresAt') * 1000,
  sourceIp: text(item, 'sourceIp'),
  principal: (item['principal'] as Principal | undefined) ?? null,
  admitted: item['admitted'] === true,
  touchedAtMs: number(item, 't0'),
  greetedAtMs: number(item, 'greetedAt'),
  pingedAtMs: number(item, 'pingedAt'),
  pongedAtMs: number(item, 'pongedAt'),
  toldAtMs: number(item, 'toldAt'),
});

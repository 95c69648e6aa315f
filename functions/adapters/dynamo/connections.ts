import { DeleteCommand, GetCommand, PutCommand, QueryCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Broadcasts, Connections, OwnSubscription } from '../../../core/ports.ts';
import { addTimes, countIn, firstTimes, pacedTimes, staleCount } from './arrival.ts';
import { conditional, documents, type Item, number, ttl } from './client.ts';
import { connectionOf, subscriptionItem, subscriptionOf, sweptOf } from './connection-items.ts';
import { counterKey, infoKey, selfKey, subscriptionKey, subscriptionPrefix } from './keys.ts';

export interface ConnectionsOptions {
  readonly table: string;
  readonly now?: () => number;
  readonly client?: ReturnType<typeof documents>;
}

/** Of two CONNECTs the first counts. A JSON connection is admitted by its handshake, and becomes one of STOMP by its first frame. */
const ADMITTED_ONCE = 'attribute_exists(connectionId) AND (attribute_not_exists(admitted) OR dialect = :json)';

const NOT_TOLD_ALL = 'attribute_exists(connectionId) AND (attribute_not_exists(#broadcasts) OR #broadcasts = :broadcasts)';

export function dynamoConnections({ table, now = Date.now, client = documents() }: ConnectionsOptions): Connections {
  const addToCounter = async (by: number): Promise<number> => {
    const { Attributes = {} } = await client.send(
      new UpdateCommand({
        TableName: table,
        Key: counterKey,
        UpdateExpression: 'SET #since = if_not_exists(#since, :now) ADD #count :by',
        ExpressionAttributeNames: { '#count': 'count', '#since': 'since' },
        ExpressionAttributeValues: { ':by': by, ':now': now() },
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
    async touch(connectionId, { atMs, nowMs, pong, subscribes, weight, pace }) {
      const arrival = pace === null ? addTimes(atMs, weight) : pacedTimes(atMs, pace);
      const { done: old, refused } = await conditional(async () => {
        const { Attributes = {} } = await client.send(
          new UpdateCommand({
            TableName: table,
            Key: selfKey(connectionId),
            UpdateExpression: `SET ${arrival.sets}, touchedAt = :now, greetedAt = if_not_exists(greetedAt, :greetedAt)${pong ? ', pongedAt = :now' : ''} ADD ${arrival.adds}subscribes :subscribes`,
            ConditionExpression: ['attribute_exists(connectionId)', ...(arrival.condition ? [arrival.condition] : [])].join(' AND '),
            ExpressionAttributeValues: { ...arrival.values, ':subscribes': subscribes, ':greetedAt': nowMs },
            ReturnValues: 'ALL_OLD',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        );
        return Attributes as Item;
      });
      if (!old) {
        // a database that does not return the item with the refusal is asked for it
        const connection = arrival.condition === null ? null : refused?.item ? connectionOf(refused.item) : await this.read(connectionId);
        return connection && { connection, greet: false, inThisSecond: 0, tooFast: true, subscribes: 0 };
      }
      const stale = pace === null ? staleCount(old, atMs) : null;
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
        inThisSecond: pace === null ? countIn(old, atMs) + weight : 0,
        tooFast: false,
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
    async addSubscription(connectionId, key, atMs, expiresAtMs, unasked = false) {
      const item = { ...subscriptionItem(connectionId, key, atMs, expiresAtMs), ...(unasked ? { unasked } : {}) };
      const condition = unasked ? { ConditionExpression: 'attribute_not_exists(connectionId)' } : {};
      await conditional(() => client.send(new PutCommand({ TableName: table, Item: item, ...condition })));
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
    async removeSubscription(connectionId, key, only) {
      const condition =
        only === undefined
          ? {}
          : only === 'unasked'
            ? { ConditionExpression: 'unasked = :true', ExpressionAttributeValues: { ':true': true } }
            : {
                ConditionExpression: '#at <= :askedBy',
                ExpressionAttributeNames: { '#at': 'at' },
                ExpressionAttributeValues: { ':askedBy': only.askedBy },
              };
      await conditional(() => client.send(new DeleteCommand({ TableName: table, Key: subscriptionKey(connectionId, key), ...condition })));
    },
    async subscriptions(connectionId, subscriptionId) {
      const keys: OwnSubscription[] = [];
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
        keys.push(...Items.map((item) => ({ ...subscriptionOf(connectionId, item), unasked: item['unasked'] === true })));
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
    async announce(connectionId, { clientId, info }, broadcasts, expiresAtMs) {
      const { done } = await conditional(async () => {
        const { Attributes = {} } = await client.send(
          new UpdateCommand({
            TableName: table,
            Key: selfKey(connectionId),
            UpdateExpression: 'SET announced = if_not_exists(announced, :announced), broadcasts = if_not_exists(broadcasts, :broadcasts)',
            ConditionExpression: 'attribute_exists(connectionId)',
            ExpressionAttributeValues: { ':announced': clientId, ':broadcasts': broadcasts },
            ReturnValues: 'UPDATED_NEW',
          }),
        );
        return { announced: String(Attributes['announced']), broadcasts: Attributes['broadcasts'] as Broadcasts };
      });
      // beside the record, for that is written by every message and paid by the kilobyte
      if (done)
        await client.send(new PutCommand({ TableName: table, Item: { ...infoKey(connectionId), info, expiresAt: ttl(expiresAtMs) } }));
      return done;
    },
    chooseUnlessAll: (connectionId) => setOnSelf(connectionId, { broadcasts: 'chosen' }, NOT_TOLD_ALL),
    async choose(connectionId) {
      await setOnSelf(connectionId, { broadcasts: 'chosen' });
    },
    async resetSubscribes(connectionId, subscribes) {
      await setOnSelf(connectionId, { subscribes });
    },
    async close(connectionId) {
      const { Attributes } = await client.send(
        new DeleteCommand({ TableName: table, Key: selfKey(connectionId), ReturnValues: 'ALL_OLD' }),
      );
      if (!Attributes) return null;
      const connection = connectionOf(Attributes);
      await Promise.all([
        addToCounter(-1),
        connection.announced === null ? null : client.send(new DeleteCommand({ TableName: table, Key: infoKey(connectionId) })),
      ]);
      return connection;
    },
    async counted() {
      const { Item = {} } = await client.send(new GetCommand({ TableName: table, Key: counterKey }));
      return { count: Math.max(0, number(Item, 'count')), sinceMs: number(Item, 'since') || null };
    },
    async setCount(count) {
      await client.send(
        new UpdateCommand({
          TableName: table,
          Key: counterKey,
          UpdateExpression: 'SET #count = :count, #since = if_not_exists(#since, :now)',
          ExpressionAttributeNames: { '#count': 'count', '#since': 'since' },
          ExpressionAttributeValues: { ':count': count, ':now': now() },
        }),
      );
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

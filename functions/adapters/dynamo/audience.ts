import { DeleteCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Audience, Dialect, Subscription } from '../../../core/ports.ts';
import { readKeys } from './batch-get.ts';
import { conditional, documents, expired, type Item, number, text, ttl } from './client.ts';
import { audienceOf, memberKey } from './keys.ts';

/** Small enough that posting begins soon; the next page is read meanwhile. */
const PAGE = 500;

/** Gone, or late already and lacking more than this says: then that stands. */
const LACKS_LESS = 'attribute_exists(#dialect) AND (attribute_not_exists(#late) OR #from >= :from)';

/** Earlier than every request. */
const NO_REQUEST = 0;

export interface AudienceOptions {
  readonly table: string;
  readonly now?: () => number;
  readonly client?: ReturnType<typeof documents>;
}

export function dynamoAudience({ table, now = Date.now, client = documents() }: AudienceOptions): Audience {
  const isThere = (item: Item): boolean => item['ended'] !== true && !expired(item, now());
  /** A request that was made later than this one has been served already. */
  const notOvertaken = 'attribute_not_exists(#requestedAt) OR #requestedAt <= :requestedAt';

  return {
    async *pages(topic, shard) {
      let start: Item | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: '#audience = :audience',
            ExpressionAttributeNames: { '#audience': 'audience' },
            ExpressionAttributeValues: { ':audience': audienceOf(topic, shard) },
            ConsistentRead: true,
            ExclusiveStartKey: start,
            Limit: PAGE,
          }),
        );
        yield Items.filter(isThere).map((item) => subscriptionOf(topic, shard, item));
        start = LastEvaluatedKey;
      } while (start);
    },
    async put(subscription, requestedAtMs, expiresAtMs) {
      const { dialect, from, late, notBeforeMs, strikes, filter, registration } = subscription;
      const { done, refused } = await conditional(() =>
        client.send(
          new PutCommand({
            TableName: table,
            ReturnValues: 'ALL_OLD',
            Item: {
              ...memberKey(subscription),
              dialect,
              from,
              requestedAt: requestedAtMs ?? NO_REQUEST,
              expiresAt: ttl(expiresAtMs),
              ...(late ? { late } : {}),
              ...(filter === null ? {} : { filter }),
              ...(registration === null ? {} : { registration }),
              ...(notBeforeMs > 0 ? { notBefore: notBeforeMs, strikes } : {}),
            },
            ...(requestedAtMs === null
              ? { ConditionExpression: 'attribute_not_exists(#requestedAt)' }
              : { ConditionExpression: notOvertaken, ExpressionAttributeValues: { ':requestedAt': requestedAtMs } }),
            ExpressionAttributeNames: { '#requestedAt': 'requestedAt' },
          }),
        ),
      );
      if (refused) return 'overtaken';
      return done?.Attributes && !expired(done.Attributes, now()) ? 'replaced' : 'put';
    },
    async find(keys) {
      const items = await readKeys(client, table, keys.map(memberKey));
      const byKey = new Map(
        items.filter((item) => !expired(item, now())).map((item) => [`${text(item, 'audience')} ${text(item, 'member')}`, item]),
      );
      return keys.map((key) => {
        const { audience, member } = memberKey(key);
        const item = byKey.get(`${audience} ${member}`);
        return item ? { ...subscriptionOf(key.topic, key.shard, item), ended: item['ended'] === true } : null;
      });
    },
    async end(key, requestedAtMs, expiresAtMs) {
      const { refused } = await conditional(() =>
        client.send(
          new PutCommand({
            TableName: table,
            Item: { ...memberKey(key), ended: true, requestedAt: requestedAtMs ?? NO_REQUEST, expiresAt: ttl(expiresAtMs) },
            ConditionExpression: notOvertaken,
            ExpressionAttributeNames: { '#requestedAt': 'requestedAt' },
            ExpressionAttributeValues: { ':requestedAt': requestedAtMs ?? NO_REQUEST },
          }),
        ),
      );
      return refused ? 'overtaken' : 'ended';
    },
    async caughtUp(key, seenFrom, head) {
      await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: memberKey(key),
            UpdateExpression: 'SET #from = :head REMOVE #late, #notBefore, #strikes',
            // somebody may have marked it late again, further back; and it never goes backwards
            ConditionExpression: '#late = :true AND #from = :seen AND #from <= :head',
            ExpressionAttributeNames: {
              '#from': 'from',
              '#late': 'late',
              '#notBefore': 'notBefore',
              '#strikes': 'strikes',
            },
            ExpressionAttributeValues: { ':head': head, ':seen': seenFrom, ':true': true },
          }),
        ),
      );
    },
    async markLate(key, from) {
      await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: memberKey(key),
            UpdateExpression: 'SET #late = :true, #from = :from',
            ConditionExpression: LACKS_LESS,
            ExpressionAttributeNames: { '#late': 'late', '#from': 'from', '#dialect': 'dialect' },
            ExpressionAttributeValues: { ':true': true, ':from': from },
          }),
        ),
      );
    },
    async passOver(seen, from, { notBeforeMs, strikes }) {
      await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: memberKey(seen),
            UpdateExpression: 'SET #late = :true, #from = :from, #notBefore = :notBefore, #strikes = :strikes',
            // one that was late and is being caught up has moved on by as much as it was told
            ConditionExpression: `${LACKS_LESS} OR (#late = :true AND #from = :seen)`,
            ExpressionAttributeNames: {
              '#late': 'late',
              '#from': 'from',
              '#dialect': 'dialect',
              '#notBefore': 'notBefore',
              '#strikes': 'strikes',
            },
            ExpressionAttributeValues: { ':true': true, ':from': from, ':seen': seen.from, ':notBefore': notBeforeMs, ':strikes': strikes },
          }),
        ),
      );
    },
    async renew(key, filter, requestedAtMs) {
      const { refused } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: memberKey(key),
            UpdateExpression: `SET #requestedAt = :requestedAt${filter === null ? ' REMOVE #filter' : ', #filter = :filter'}`,
            ConditionExpression: 'attribute_exists(#dialect) AND #requestedAt <= :requestedAt',
            ExpressionAttributeNames: { '#dialect': 'dialect', '#requestedAt': 'requestedAt', '#filter': 'filter' },
            ExpressionAttributeValues: { ':requestedAt': requestedAtMs, ...(filter === null ? {} : { ':filter': filter }) },
          }),
        ),
      );
      return refused === null;
    },
    async advance(key, seenFrom, to) {
      const { refused } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: memberKey(key),
            UpdateExpression: 'SET #from = :to',
            ConditionExpression: '#late = :true AND #from = :seen',
            ExpressionAttributeNames: { '#late': 'late', '#from': 'from' },
            ExpressionAttributeValues: { ':true': true, ':seen': seenFrom, ':to': to },
          }),
        ),
      );
      return refused === null;
    },
    async forgetRegistration(key) {
      await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: memberKey(key),
            UpdateExpression: 'REMOVE #registration',
            ConditionExpression: 'attribute_exists(#registration)',
            ExpressionAttributeNames: { '#registration': 'registration' },
          }),
        ),
      );
    },
    async remove(key) {
      await client.send(new DeleteCommand({ TableName: table, Key: memberKey(key) }));
    },
  };
}

function subscriptionOf(topic: string, shard: number, item: Item): Subscription {
  const [connectionId = '', ...subscriptionId] = text(item, 'member').split('#');
  return {
    topic,
    shard,
    connectionId,
    subscriptionId: subscriptionId.join('#'),
    dialect: (text(item, 'dialect') || 'json') as Dialect,
    from: number(item, 'from'),
    late: item['late'] === true,
    notBeforeMs: number(item, 'notBefore'),
    strikes: number(item, 'strikes'),
    filter: Array.isArray(item['filter']) ? (item['filter'] as string[]) : null,
    registration: text(item, 'registration') || null,
  };
}

import { GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { LOG_LIFE_MS } from '../../../core/base/lifetimes.ts';
import { lifeOf } from '../../../core/channels/channels.ts';
import type { LogMessage, TopicState, Topics } from '../../../core/ports.ts';
import { readKeys } from './batch-get.ts';
import { conditional, documents, expired, type Item, number, text, ttl } from './client.ts';
import { eventKey, LOG_END, LOG_PREFIX, logKey, stateKey } from './keys.ts';

const PART = 'part.';
const ORDER = 'order.';

export interface TopicsOptions {
  readonly table: string;
  readonly newEpoch: () => string;
  readonly now?: () => number;
  /** How long a topic is kept after its state item was last written. */
  readonly life?: (topic: string) => number | null;
  readonly client?: ReturnType<typeof documents>;
}

export function dynamoTopics({ table, newEpoch, now = Date.now, life = lifeOf, client = documents() }: TopicsOptions): Topics {
  const read = async (topic: string): Promise<TopicState> => {
    const { Item } = await client.send(new GetCommand({ TableName: table, Key: stateKey(topic), ConsistentRead: true }));
    return stateOf(topic, Item ?? {});
  };
  /** An update of the state item that makes it where it is missing. */
  const update = async (topic: string, sets: string[], values: Item, condition?: string, names: Record<string, string> = {}) => {
    const lifeMs = life(topic);
    const forgetting = lifeMs === null ? [] : ['#expiresAt = :expiresAt'];
    return conditional(async () => {
      const { Attributes = {} } = await client.send(
        new UpdateCommand({
          TableName: table,
          Key: stateKey(topic),
          UpdateExpression: `SET ${['#epoch = if_not_exists(#epoch, :epoch)', ...forgetting, ...sets].join(', ')}`,
          ConditionExpression: condition,
          ExpressionAttributeNames: {
            '#epoch': 'epoch',
            '#head': 'head',
            ...(lifeMs === null ? {} : { '#expiresAt': 'expiresAt' }),
            ...names,
          },
          ExpressionAttributeValues: { ':epoch': newEpoch(), ...(lifeMs === null ? {} : { ':expiresAt': ttl(now() + lifeMs) }), ...values },
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return stateOf(topic, Attributes);
    });
  };

  /** Changes the state item where the condition holds; else nothing. */
  const change = async (
    topic: string,
    expression: string,
    condition: string,
    names: Record<string, string>,
    values: Item,
  ): Promise<void> => {
    await conditional(() =>
      client.send(
        new UpdateCommand({
          TableName: table,
          Key: stateKey(topic),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
        }),
      ),
    );
  };

  const logQuery = (topic: string, after: number, limit: number, start?: Item) =>
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: '#topic = :topic AND #item BETWEEN :from AND :to',
      ExpressionAttributeNames: { '#topic': 'topic', '#item': 'item' },
      ExpressionAttributeValues: { ':topic': topic, ':from': logKey(topic, Math.max(0, after + 1)).item, ':to': LOG_END },
      ConsistentRead: true,
      ExclusiveStartKey: start,
      Limit: limit,
    });

  return {
    async commitState(commit) {
      const { done, refused } = await update(
        commit.topic,
        [
          '#part = :value',
          '#order = :order',
          '#head = if_not_exists(#head, :zero) + :one',
          ...(commit.recent === null ? [] : ['#recent = list_append(if_not_exists(#recent, :none), :point)']),
        ],
        {
          ':value': commit.value,
          ':order': commit.order,
          ':zero': 0,
          ':one': 1,
          ...(commit.recent === null ? {} : { ':none': [], ':point': [commit.recent] }),
        },
        newer,
        { '#part': PART + commit.part, '#order': ORDER + commit.part, ...(commit.recent === null ? {} : { '#recent': 'recent' }) },
      );
      if (done) return { changed: true, state: done };
      return { changed: false, state: refused?.item ? stateOf(commit.topic, refused.item) : await read(commit.topic) };
    },
    thinRecent: (seen, points) =>
      change(
        seen.topic,
        'SET #recent = :points',
        '#head = :head AND size(#recent) = :size',
        { '#recent': 'recent', '#head': 'head' },
        { ':points': points, ':head': seen.head, ':size': seen.recent.length },
      ),
    async read(topics) {
      if (topics.length === 1) {
        const [topic] = topics as [string];
        const state = await read(topic);
        return new Map(state.epoch === '' ? [] : [[topic, state]]);
      }
      const items = await readKeys(client, table, topics.map(stateKey));
      return new Map(items.map((item) => [text(item, 'topic'), stateOf(text(item, 'topic'), item)]));
    },
    async hear(topic) {
      const { done } = await update(
        topic,
        [
          '#head = if_not_exists(#head, :zero)',
          '#heardFrom = if_not_exists(#heardFrom, if_not_exists(#head, :zero))',
          '#heard = :true',
          '#unheardBy = :nobody',
        ],
        { ':zero': 0, ':true': true, ':nobody': '' },
        undefined,
        { '#heard': 'heard', '#heardFrom': 'heardFrom', '#unheardBy': 'unheardBy' },
      );
      return done as TopicState;
    },
    async create(topic) {
      const { done } = await update(topic, ['#head = if_not_exists(#head, :zero)'], { ':zero': 0 });
      return done as TopicState;
    },
    unhear: (topic, stamp) =>
      change(
        topic,
        'SET #unheardBy = :stamp REMOVE #heard',
        'attribute_exists(#epoch)',
        { '#heard': 'heard', '#unheardBy': 'unheardBy', '#epoch': 'epoch' },
        { ':stamp': stamp },
      ),
    desert: (topic, stamp) =>
      change(
        topic,
        'REMOVE #heardFrom',
        'attribute_not_exists(#heard) AND #unheardBy = :stamp',
        { '#heard': 'heard', '#heardFrom': 'heardFrom', '#unheardBy': 'unheardBy' },
        { ':stamp': stamp },
      ),

    async eventBase(topic, eventId, base) {
      const values = { ':base': base, ':expiresAt': ttl(now() + LOG_LIFE_MS), ':now': ttl(now()) };
      const names = { '#base': 'base', '#expiresAt': 'expiresAt' };
      const { done } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: eventKey(topic, eventId),
            UpdateExpression: 'SET #base = if_not_exists(#base, :base), #expiresAt = if_not_exists(#expiresAt, :expiresAt)',
            // TTL deletes days late: an id whose day is over is new again
            ConditionExpression: 'attribute_not_exists(#base) OR #expiresAt > :now',
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: values,
            ReturnValues: 'ALL_NEW',
          }),
        ),
      );
      if (done) return number(done.Attributes ?? {}, 'base');
      const { refused } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: eventKey(topic, eventId),
            UpdateExpression: 'SET #base = :base, #expiresAt = :expiresAt',
            ConditionExpression: 'attribute_not_exists(#base) OR #expiresAt <= :now',
            ExpressionAttributeNames: names,
            ExpressionAttributeValues: values,
          }),
        ),
      );
      // another delivery of the same event was faster: its base counts
      return refused ? this.eventBase(topic, eventId, base) : base;
    },
    async putLog(topic, offset, eventId, value) {
      const { refused } = await conditional(() =>
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: logKey(topic, offset),
            UpdateExpression:
              'SET #eventId = :eventId, #value = if_not_exists(#value, :value), #expiresAt = if_not_exists(#expiresAt, :expiresAt)',
            ConditionExpression: 'attribute_not_exists(#eventId) OR #eventId = :eventId',
            ExpressionAttributeNames: { '#eventId': 'eventId', '#value': 'value', '#expiresAt': 'expiresAt' },
            ExpressionAttributeValues: { ':eventId': eventId, ':value': value, ':expiresAt': ttl(now() + LOG_LIFE_MS) },
          }),
        ),
      );
      return refused ? 'taken' : 'put';
    },
    async raiseHead(topic, head) {
      const { done, refused } = await update(topic, ['#head = :head'], { ':head': head }, 'attribute_not_exists(#head) OR #head < :head');
      return done ?? (refused?.item ? stateOf(topic, refused.item) : read(topic));
    },
    async committedAfter(topic, after) {
      const { Items = [] } = await client.send(logQuery(topic, after, 1));
      return Items[0] ? logMessageOf(Items[0]).atMs : null;
    },
    async readLog(topic, after, limit) {
      const found: LogMessage[] = [];
      let start: Item | undefined;
      // the limit is taken before what has expired is left out: a page of expired ones is not the end
      do {
        const { Items = [], LastEvaluatedKey } = await client.send(logQuery(topic, after, limit, start));
        for (const item of Items) if (!expired(item, now())) found.push(logMessageOf(item));
        start = LastEvaluatedKey;
      } while (start && found.length < limit);
      return found.slice(0, limit);
    },
  };
}

/** Newest wins: later by the order that `orderOf` made, which tells apart what has the same time. */
const newer = 'attribute_not_exists(#order) OR #order < :order';

const logMessageOf = (item: Item): LogMessage => ({
  offset: Number(text(item, 'item').slice(LOG_PREFIX.length)),
  eventId: text(item, 'eventId'),
  atMs: number(item, 'expiresAt') * 1000 - LOG_LIFE_MS,
  value: item['value'] as object,
});

function stateOf(topic: string, item: Item): TopicState {
  const parts = Object.entries(item).filter(([name]) => name.startsWith(PART));
  return {
    topic,
    epoch: text(item, 'epoch'),
    head: number(item, 'head'),
    parts: Object.fromEntries(parts.map(([name, value]) => [name.slice(PART.length), value as object])),
    recent: Array.isArray(item['recent']) ? (item['recent'] as string[]) : [],
    heard: item['heard'] === true,
    heardFrom: number(item, 'heardFrom'),
    listed: item['listed'] === true,
    expiresAtMs: typeof item['expiresAt'] === 'number' ? item['expiresAt'] * 1000 : null,
  };
}

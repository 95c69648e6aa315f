import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { lifeOf } from '../../../core/channels/channels.ts';
import type { Turn, Turns } from '../../../core/ports.ts';
import { conditional, documents, type Item, number, text, ttl } from './client.ts';
import { cursorKey } from './keys.ts';

const NAMES = {
  '#holder': 'holder',
  '#until': 'until',
  '#pokes': 'pokes',
  '#cursor': 'cursor',
  '#toldAt': 'toldAt',
  '#nextAt': 'nextAt',
  '#epoch': 'epoch',
  '#expiresAt': 'expiresAt',
} as const;
type Name = keyof typeof NAMES;

export interface TurnsOptions {
  readonly table: string;
  /** How long a topic is kept: its cursor may go with it. */
  readonly life?: (topic: string) => number | null;
  readonly client?: ReturnType<typeof documents>;
}

export function dynamoTurns({ table, life = lifeOf, client = documents() }: TurnsOptions): Turns {
  const read = async (topic: string, shard: number): Promise<Turn | null> => {
    const { Item } = await client.send(new GetCommand({ TableName: table, Key: cursorKey(topic, shard), ConsistentRead: true }));
    return Item ? turnOf(Item) : null;
  };
  const update = (topic: string, shard: number, expression: string, condition: string | undefined, names: readonly Name[], values: Item) =>
    conditional(async () => {
      const { Attributes = {} } = await client.send(
        new UpdateCommand({
          TableName: table,
          Key: cursorKey(topic, shard),
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, NAMES[name]])),
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return turnOf(Attributes);
    });
  /** The turn is mine, whether or not it has run out: nobody took it. */
  const mine = '#holder = :me';

  return {
    async poke(topic, shard, me, untilMs) {
      const lifeMs = life(topic);
      const { done } = await update(
        topic,
        shard,
        `SET #holder = if_not_exists(#holder, :me), #until = if_not_exists(#until, :until)${lifeMs === null ? '' : ', #expiresAt = :expiresAt'} ADD #pokes :one`,
        undefined,
        ['#holder', '#until', '#pokes', ...(lifeMs === null ? [] : ['#expiresAt' as const])],
        { ':me': me, ':until': untilMs, ':one': 1, ...(lifeMs === null ? {} : { ':expiresAt': ttl(untilMs + lifeMs) }) },
      );
      return done as Turn;
    },
    async takeOver(topic, shard, seen, me, untilMs) {
      const { done, refused } = await update(
        topic,
        shard,
        'SET #holder = :me, #until = :until',
        '#holder = :old AND #until = :oldUntil',
        ['#holder', '#until'],
        { ':me': me, ':until': untilMs, ':old': seen.holder, ':oldUntil': seen.untilMs },
      );
      if (done) return done;
      // the answer to a first try may have been lost, and this is the client's second
      const there = refused?.item ? turnOf(refused.item) : null;
      return there?.holder === me ? there : null;
    },
    read,
    async extend(topic, shard, me, untilMs) {
      const { done } = await update(topic, shard, 'SET #until = :until', mine, ['#holder', '#until'], { ':me': me, ':until': untilMs });
      return done !== null;
    },
    async abandon(topic, shard, me) {
      await update(topic, shard, 'REMOVE #holder, #until', mine, ['#holder', '#until'], { ':me': me });
    },
    async save(topic, shard, me, { cursor, epoch }, untilMs) {
      const { done } = await update(
        topic,
        shard,
        'SET #cursor = :cursor, #epoch = :epoch, #until = :until',
        mine,
        ['#holder', '#until', '#cursor', '#epoch'],
        {
          ':epoch': epoch,
          ':me': me,
          ':cursor': cursor,
          ':until': untilMs,
        },
      );
      return done !== null;
    },
    async release(topic, shard, me, { cursor, epoch, toldAtMs, nextAtMs, pokes }) {
      const { done, refused } = await update(
        topic,
        shard,
        'SET #cursor = :cursor, #epoch = :epoch, #toldAt = :toldAt, #nextAt = :nextAt REMOVE #holder, #until',
        pokes === null ? mine : `${mine} AND #pokes = :pokes`,
        ['#holder', '#until', '#cursor', '#epoch', '#toldAt', '#nextAt', ...(pokes === null ? [] : ['#pokes' as const])],
        {
          ':me': me,
          ':cursor': cursor,
          ':epoch': epoch,
          ':toldAt': toldAtMs,
          ':nextAt': nextAtMs,
          ...(pokes === null ? {} : { ':pokes': pokes }),
        },
      );
      if (done) return 'released';
      const now = refused?.item ? turnOf(refused.item) : await read(topic, shard);
      return now?.holder === me ? 'poked' : 'lost';
    },
  };
}

const turnOf = (item: Item): Turn => ({
  holder: text(item, 'holder'),
  untilMs: number(item, 'until'),
  pokes: number(item, 'pokes'),
  cursor: number(item, 'cursor'),
  epoch: text(item, 'epoch'),
  toldAtMs: number(item, 'toldAt'),
  nextAtMs: number(item, 'nextAt'),
});

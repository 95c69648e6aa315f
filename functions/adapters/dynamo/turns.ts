import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Turn, Turns } from '../../../core/ports.ts';
import { conditional, documents, type Item, number, text } from './client.ts';
import { cursorKey } from './keys.ts';

const NAMES = {
  '#holder': 'holder',
  '#until': 'until',
  '#pokes': 'pokes',
  '#cursor': 'cursor',
  '#toldAt': 'toldAt',
  '#nextAt': 'nextAt',
} as const;
type Name = keyof typeof NAMES;

export function dynamoTurns({ table, client = documents() }: { table: string; client?: ReturnType<typeof documents> }): Turns {
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
      const { done } = await update(
        topic,
        shard,
        'SET #holder = if_not_exists(#holder, :me), #until = if_not_exists(#until, :until) ADD #pokes :one',
        undefined,
        ['#holder', '#until', '#pokes'],
        { ':me': me, ':until': untilMs, ':one': 1 },
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
    async save(topic, shard, me, cursor, untilMs) {
      const { done } = await update(topic, shard, 'SET #cursor = :cursor, #until = :until', mine, ['#holder', '#until', '#cursor'], {
        ':me': me,
        ':cursor': cursor,
        ':until': untilMs,
      });
      return done !== null;
    },
    async release(topic, shard, me, { cursor, toldAtMs, nextAtMs, pokes }) {
      const { done, refused } = await update(
        topic,
        shard,
        'SET #cursor = :cursor, #toldAt = :toldAt, #nextAt = :nextAt REMOVE #holder, #until',
        pokes === null ? mine : `${mine} AND #pokes = :pokes`,
        ['#holder', '#until', '#cursor', '#toldAt', '#nextAt', ...(pokes === null ? [] : ['#pokes' as const])],
        { ':me': me, ':cursor': cursor, ':toldAt': toldAtMs, ':nextAt': nextAtMs, ...(pokes === null ? {} : { ':pokes': pokes }) },
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
  toldAtMs: number(item, 'toldAt'),
  nextAtMs: number(item, 'nextAt'),
});

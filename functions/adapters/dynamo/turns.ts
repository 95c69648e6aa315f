import type { Turn, Turns } from '../../../core/ports/turns.ts';
import { type Item, number, text, ttl } from './item.ts';
import { cursorKey } from './keys.ts';
import { computed, type Table } from './table.ts';

export interface TurnsOptions {
  readonly table: Table;
  /** How long a topic is kept: its cursor goes with it. `null` = for good. */
  readonly lifeOf: (topic: string) => number | null;
}

/** The turn is mine, even if it has expired: no other worker took it. */
const MINE = '#holder = :me';

export function dynamoTurns({ table, lifeOf }: TurnsOptions): Turns {
  const read = async (topic: string, shard: number): Promise<Turn | null> => {
    const item = await table.get(cursorKey(topic, shard));
    return item && turnOf(item);
  };
  return {
    async poke(topic, shard, me, untilMs) {
      const lifeMs = lifeOf(topic);
      const { item } = await table.update(cursorKey(topic, shard), {
        set: {
          holder: computed('if_not_exists(#holder, :me)'),
          until: computed('if_not_exists(#until, :untilMs)'),
          ...(lifeMs === null ? {} : { expiresAt: ttl(untilMs + lifeMs) }),
        },
        add: { pokes: 1 },
        values: { me, untilMs },
        returns: 'ALL_NEW',
      });
      return turnOf(item ?? {});
    },
    async takeOver(topic, shard, seen, me, untilMs) {
      const { item } = await table.update(cursorKey(topic, shard), {
        set: { holder: me, until: untilMs },
        when: '#holder = :old AND #until = :oldUntil',
        values: { old: seen.holder, oldUntil: seen.untilMs },
        returns: 'ALL_NEW',
      });
      const there = item && turnOf(item);
      // if the condition failed and the turn is mine all the same, the response to a first try was lost
      return there?.holder === me ? there : null;
    },
    read,
    async extend(topic, shard, me, untilMs) {
      return (await table.update(cursorKey(topic, shard), { set: { until: untilMs }, when: MINE, values: { me } })).held;
    },
    async abandon(topic, shard, me) {
      await table.update(cursorKey(topic, shard), { remove: ['holder', 'until'], when: MINE, values: { me } });
    },
    async save(topic, shard, me, { cursor, epoch }, untilMs) {
      return (await table.update(cursorKey(topic, shard), { set: { cursor, epoch, until: untilMs }, when: MINE, values: { me } })).held;
    },
    async release(topic, shard, me, { cursor, epoch, deliveredAtMs, nextAtMs, pokes }) {
      const { held, item } = await table.update(cursorKey(topic, shard), {
        set: { cursor, epoch, deliveredAt: deliveredAtMs, nextAt: nextAtMs },
        remove: ['holder', 'until'],
        when: pokes === null ? MINE : `${MINE} AND #pokes = :pokes`,
        values: { me, ...(pokes === null ? {} : { pokes }) },
      });
      if (held) return 'released';
      // not every database returns the item with the refusal
      const there = item ? turnOf(item) : await read(topic, shard);
      return there?.holder === me ? 'poked' : 'lost';
    },
  };
}

const turnOf = (item: Item): Turn => ({
  holder: text(item, 'holder'),
  untilMs: number(item, 'until'),
  pokes: number(item, 'pokes'),
  cursor: number(item, 'cursor'),
  epoch: text(item, 'epoch'),
  deliveredAtMs: number(item, 'deliveredAt'),
  nextAtMs: number(item, 'nextAt'),
});

import { LOG_LIFE_MS } from '../../../core/base/lifetimes.ts';
import type { LogMessage, TopicState, Topics } from '../../../core/ports/topics.ts';
import { environmentNow } from '../clock.ts';
import { expired, type Item, number, text, ttl } from './item.ts';
import { eventKey, LOG_END, LOG_PREFIX, logKey, stateKey } from './keys.ts';
import { type Change, computed, type Table, type Written } from './table.ts';

/** Prefixes of attributes on the state item. */
const PART = 'part.';
const ORDER = 'order.';
const NOTE = 'note.';

export interface TopicsOptions {
  readonly table: Table;
  readonly newEpoch: () => string;
  /** How long a topic is kept after its state item was last written; `null` = for good. */
  readonly lifeOf: (topic: string) => number | null;
  readonly now?: () => number;
}

export function dynamoTopics({ table, newEpoch, lifeOf, now = environmentNow }: TopicsOptions): Topics {
  const read = async (topic: string): Promise<TopicState> => stateOf(topic, (await table.get(stateKey(topic))) ?? {});
  const ifMissing = (topic: string): Item => {
    const lifeMs = lifeOf(topic);
    return { epoch: computed('if_not_exists(#epoch, :newEpoch)'), ...(lifeMs === null ? {} : { expiresAt: ttl(now() + lifeMs) }) };
  };
  /** An update of the state item that makes it if it is missing. */
  const write = (topic: string, { set, values, ...change }: Change): Promise<Written> =>
    table.update(stateKey(topic), {
      ...change,
      set: { ...ifMissing(topic), ...set },
      values: { newEpoch: newEpoch(), ...values },
      returns: 'ALL_NEW',
    });
  /** The item after a write; after one that did not hold, as it stands. Not every database returns it with the refusal. */
  const after = async (topic: string, { item }: Written): Promise<TopicState> => (item ? stateOf(topic, item) : read(topic));
  const log = (topic: string, after: number, limit: number) =>
    table.query({
      where: '#topic = :topic AND #item BETWEEN :from AND :to',
      values: { topic, from: logKey(topic, Math.max(0, after + 1)).item, to: LOG_END },
      consistent: true,
      page: limit,
    });

  const topics: Topics = {
    async commitState({ topic, part, order, value, append }, latest) {
      const lists = Object.entries(append).map(([name, entry]) => [`note_${name}`, [entry]] as const);
      const written = await write(topic, {
        set: {
          part: value,
          order,
          head: computed('if_not_exists(#head, :zero) + :one'),
          ...Object.fromEntries(lists.map(([note]) => [note, computed(`list_append(if_not_exists(#${note}, :none), :${note})`)])),
        },
        // newest wins; `orderOf` tells apart events of the same time
        when: 'attribute_not_exists(#order) OR #order < :order OR #order > :latest',
        names: { part: PART + part, order: ORDER + part, ...noteNames(Object.keys(append)) },
        values: {
          zero: 0,
          one: 1,
          latest,
          ...(lists.length > 0 ? { none: [] } : {}),
          ...Object.fromEntries(lists),
        },
      });
      return { changed: written.held, state: await after(topic, written) };
    },
    async note({ topic, head }, notes) {
      await table.update(stateKey(topic), {
        set: Object.fromEntries(Object.entries(notes).map(([name, value]) => [`note_${name}`, value])),
        names: noteNames(Object.keys(notes)),
        when: '#head = :seen',
        values: { seen: head },
      });
    },
    async read(wanted) {
      const [only, ...others] = wanted;
      if (only !== undefined && others.length === 0) {
        const state = await read(only);
        return new Map(state.epoch === '' ? [] : [[only, state]]);
      }
      const items = await table.getMany(wanted.map(stateKey));
      return new Map(items.map((item) => [text(item, 'topic'), stateOf(text(item, 'topic'), item)]));
    },
    async hear(topic) {
      const written = await write(topic, {
        set: {
          head: computed('if_not_exists(#head, :zero)'),
          heardFrom: computed('if_not_exists(#heardFrom, if_not_exists(#head, :zero))'),
          heard: true,
          unheardBy: '',
        },
        values: { zero: 0 },
      });
      return after(topic, written);
    },
    async create(topic) {
      return after(topic, await write(topic, { set: { head: computed('if_not_exists(#head, :zero)') }, values: { zero: 0 } }));
    },
    async unhear(topic, stamp) {
      await table.update(stateKey(topic), { set: { unheardBy: stamp }, remove: ['heard'], when: 'attribute_exists(#epoch)' });
    },
    async desert(topic, stamp) {
      const forgotten = await table.delete(stateKey(topic), {
        when: 'attribute_not_exists(#heard) AND #unheardBy = :stamp AND #head = :zero',
        values: { stamp, zero: 0 },
      });
      if (forgotten.held) return;
      await table.update(stateKey(topic), {
        remove: ['heardFrom'],
        when: 'attribute_not_exists(#heard) AND #unheardBy = :stamp',
        values: { stamp },
      });
    },

    async eventBase(topic, eventId, base) {
      const key = eventKey(topic, eventId);
      const expiresAt = ttl(now() + LOG_LIFE_MS);
      const first = await table.update(key, {
        set: { base: computed('if_not_exists(#base, :base)'), expiresAt: computed('if_not_exists(#expiresAt, :expiresAt)') },
        // TTL deletes days late: an id whose day is over is new again
        when: 'attribute_not_exists(#base) OR #expiresAt > :now',
        values: { base, expiresAt, now: ttl(now()) },
        returns: 'ALL_NEW',
      });
      if (first.held) return number(first.item, 'base');
      const renewed = await table.update(key, {
        set: { base, expiresAt },
        when: 'attribute_not_exists(#base) OR #expiresAt <= :now',
        values: { now: ttl(now()) },
      });
      // another delivery of the same event was faster: its base counts
      return renewed.held ? base : topics.eventBase(topic, eventId, base);
    },
    async putLog(topic, offset, eventId, value) {
      const { held } = await table.update(logKey(topic, offset), {
        set: {
          eventId,
          value: computed('if_not_exists(#value, :message)'),
          expiresAt: computed('if_not_exists(#expiresAt, :expiresAt)'),
        },
        when: 'attribute_not_exists(#eventId) OR #eventId = :eventId',
        values: { message: value, expiresAt: ttl(now() + LOG_LIFE_MS) },
      });
      return held ? 'put' : 'taken';
    },
    async raiseHead(topic, head) {
      return after(topic, await write(topic, { set: { head }, when: 'attribute_not_exists(#head) OR #head < :head' }));
    },
    async committedAfter(topic, offset) {
      for await (const [first] of log(topic, offset, 1)) return first ? logMessageOf(first).atMs : null;
      return null;
    },
    async readLog(topic, offset, limit) {
      const found: LogMessage[] = [];
      // the limit applies before expired items are left out: a page of them is not the end
      for await (const page of log(topic, offset, limit)) {
        for (const item of page) if (!expired(item, now())) found.push(logMessageOf(item));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },
  };
  return topics;
}

/** A note's placeholder, and its attribute: neither clashes with the item's own. */
const noteNames = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`note_${name}`, NOTE + name]));

const logMessageOf = (item: Item): LogMessage => ({
  offset: Number(text(item, 'item').slice(LOG_PREFIX.length)),
  eventId: text(item, 'eventId'),
  atMs: number(item, 'expiresAt') * 1000 - LOG_LIFE_MS,
  value: item['value'] as object,
});

/** The attributes with a prefix, without it. */
const withPrefix = (item: Item, prefix: string): Item =>
  Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
  );

const stateOf = (topic: string, item: Item): TopicState => ({
  topic,
  epoch: text(item, 'epoch'),
  head: number(item, 'head'),
  parts: withPrefix(item, PART) as Record<string, object>,
  notes: withPrefix(item, NOTE),
  heard: item['heard'] === true,
  heardFrom: number(item, 'heardFrom'),
  expiresAtMs: typeof item['expiresAt'] === 'number' ? item['expiresAt'] * 1000 : null,
});

import type { Catalogue } from '../../../core/ports/catalogue.ts';
import { type Item, number, text, ttl } from './item.ts';
import { acceptedKey, heardKey, listedKey, nameKey, statusKey } from './keys.ts';
import type { Table } from './table.ts';

/** An event's id makes it idempotent for a day (`docs/protocol.md`, "Publishing"). */
const IDEMPOTENT_MS = 86_400_000;

/** Topics that an environment remembers to be listed: some 100 bytes each. */
const MOST_LISTED = 50_000;

export function dynamoCatalogue({ table }: { readonly table: Table }): Catalogue {
  const all = async (partition: string): Promise<Item[]> => {
    const found: Item[] = [];
    for await (const page of table.query({ where: '#topic = :partition', values: { partition } })) found.push(...page);
    return found;
  };
  const namesOf = (items: readonly Item[]) => new Map(items.map((item) => [text(item, 'item'), text(item, 'name')]));
  const listed = new Set<string>();

  return {
    async list(channel, entries) {
      // a batch with the same key twice is refused: the last name counts
      const names = new Map(entries.map(({ topic, name }) => [topic, name]));
      await table.putMany([...names].flatMap(([topic, name]) => [listedKey(channel, topic), { ...nameKey(channel, topic), name }]));
    },
    async listNew(channel, topics) {
      const keyOf = (topic: string): string => `${channel}#${topic}`;
      const unseen = [...new Set(topics)].filter((topic) => !listed.has(keyOf(topic)));
      if (unseen.length === 0) return;
      // an item that is put again is the same item
      const found = await table.getMany(
        unseen.map((topic) => listedKey(channel, topic)),
        { consistent: false },
      );
      const there = new Set(found.map((item) => text(item, 'item')));
      await table.putMany(unseen.filter((topic) => !there.has(topic)).map((topic) => listedKey(channel, topic)));
      if (listed.size + unseen.length > MOST_LISTED) listed.clear();
      for (const topic of unseen) listed.add(keyOf(topic));
    },
    async topics(channel) {
      const [items, named] = await Promise.all([all(listedKey(channel, '').topic), all(nameKey(channel, '').topic)]);
      const names = namesOf(named);
      return items.map((item) => text(item, 'item')).map((topic) => ({ topic, name: names.get(topic) ?? null }));
    },
    async names(channel, topics) {
      return namesOf(
        await table.getMany(
          topics.map((topic) => nameKey(channel, topic)),
          { consistent: false },
        ),
      );
    },
    async addHeard(topic, atMs) {
      await table.put({ ...heardKey(topic), at: atMs });
    },
    async markLeaving(topic) {
      await table.update(heardKey(topic), { set: { leaving: true } });
    },
    async heard() {
      return (await all(heardKey('').topic)).map((item) => ({
        topic: text(item, 'item'),
        atMs: number(item, 'at'),
        leaving: item['leaving'] === true,
      }));
    },
    async removeHeard(topic, atMs) {
      await table.delete(heardKey(topic), { when: '#at = :at', values: { at: atMs } });
    },
    async saveStatus(name, status) {
      await table.put({ ...statusKey(name), status });
    },
    async status(name) {
      const item = await table.get(statusKey(name), { consistent: false });
      return (item?.['status'] as Record<string, unknown> | undefined) ?? null;
    },
    async firstAcceptance(eventId, given) {
      const key = acceptedKey(eventId);
      const { held, item } = await table.put(
        { ...key, at: given.acceptedAtMs, index: given.index, expiresAt: ttl(given.acceptedAtMs + IDEMPOTENT_MS) },
        // TTL deletes days late: an expired id is as good as gone
        { when: 'attribute_not_exists(#at) OR #expiresAt <= :now', values: { now: ttl(given.acceptedAtMs) } },
      );
      if (held) return given;
      const first = item ?? (await table.get(key)) ?? {};
      return { acceptedAtMs: number(first, 'at'), index: number(first, 'index') };
    },
  };
}

import { bounded } from '../../../core/base/concurrency.ts';
import type { Catalogue } from '../../../core/ports/catalogue.ts';
import { type Item, number, text, ttl } from './item.ts';
import { acceptedKey, heardKey, listedKey, statusKey } from './keys.ts';
import type { Table } from './table.ts';

/** An event's id makes it idempotent for a day (`docs/protocol.md`, "Publishing"). */
const IDEMPOTENT_MS = 86_400_000;

const AT_ONCE = 16;

export function dynamoCatalogue({ table }: { readonly table: Table }): Catalogue {
  const all = async (partition: string): Promise<Item[]> => {
    const found: Item[] = [];
    for await (const page of table.query({ where: '#topic = :partition', values: { partition } })) found.push(...page);
    return found;
  };
  const nameOf = (item: Item): string | null => (typeof item['name'] === 'string' ? item['name'] : null);

  return {
    async list(channel, entries) {
      await bounded(entries, AT_ONCE, async ({ topic, name }) => {
        await table.update(listedKey(channel, topic), { set: { listed: true, ...(name === null ? {} : { name }) } });
      });
    },
    async topics(channel) {
      return (await all(listedKey(channel, '').topic)).map((item) => ({ topic: text(item, 'item'), name: nameOf(item) }));
    },
    async names(channel, topics) {
      const items = await table.getMany(topics.map((topic) => listedKey(channel, topic)));
      return new Map(items.flatMap((item) => (nameOf(item) === null ? [] : [[text(item, 'item'), text(item, 'name')]])));
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

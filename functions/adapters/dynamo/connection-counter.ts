/** The number of open connections, in several items: one item takes only 1,000 writes a second, and a dropped network causes more. */
import { number } from './item.ts';
import { counterKey } from './keys.ts';
import { computed, type Table } from './table.ts';

/** Each fills at most its share of the limit, so that all together never pass it. Any of them may count a connection that closes. */
const PARTS = Array.from({ length: 16 }, (_, part) => part);

/** A part without a share may be negative: closes can be counted where nothing opened. */
const BELOW = '#count < :limit';

export interface ConnectionCounter {
  /** Counts a connection as open (1) or closed (-1). */
  add(connectionId: string, by: 1 | -1): Promise<void>;
  /** Counts a connection as open, unless `most` are. */
  take(connectionId: string, most: number): Promise<boolean>;
  /** About how many are open, and when the first ever was, in ms. */
  counted(): Promise<{ readonly count: number; readonly sinceMs: number | null }>;
  /**
   * Reads the count before a look at all connections. The function returned corrects it by how many that look found, as far as
   * what opened and closed meanwhile does not explain it. No part then has more than its share of `most`, if all have room there.
   */
  recount(most?: number): Promise<(found: number) => Promise<void>>;
}

interface Part {
  readonly part: number;
  readonly count: number;
  /** 0 = never. */
  readonly sinceMs: number;
}

export function connectionCounter(table: Table, now: () => number): ConnectionCounter {
  const addTo = async (part: number, by: number, limit?: number): Promise<boolean> => {
    const written = await table.update(counterKey(part), {
      set: { since: computed('if_not_exists(#since, :now)') },
      add: { count: by },
      values: { now: now(), ...(limit === undefined ? {} : { limit }) },
      when: limit === undefined ? undefined : limit > 0 ? `attribute_not_exists(#count) OR ${BELOW}` : BELOW,
    });
    return written.held;
  };
  const read = async (consistent: boolean): Promise<Part[]> => {
    const items = new Map((await table.getMany(PARTS.map(counterKey), { consistent })).map((item) => [item['item'], item]));
    return PARTS.map((part) => {
      const item = items.get(counterKey(part).item) ?? {};
      return { part, count: number(item, 'count'), sinceMs: number(item, 'since') };
    });
  };

  return {
    async add(connectionId, by) {
      await addTo(partOf(connectionId), by);
    },
    async take(connectionId, most) {
      const full = new Set<number>();
      for (let part: number | undefined = partOf(connectionId); part !== undefined; ) {
        if (await addTo(part, 1, shareOf(part, most))) return true;
        full.add(part);
        // another may have room
        const room = (await read(true)).map((one) => ({ part: one.part, room: shareOf(one.part, most) - one.count }));
        part = room.filter((one) => one.room > 0 && !full.has(one.part)).sort((a, b) => b.room - a.room)[0]?.part;
      }
      return false;
    },
    async counted() {
      const parts = await read(false);
      const times = parts.map(({ sinceMs }) => sinceMs).filter((ms) => ms > 0);
      return { count: Math.max(0, totalOf(parts)), sinceMs: times.length === 0 ? null : Math.min(...times) };
    },
    async recount(most = 0) {
      const before = totalOf(await read(true));
      return async (found) => {
        const parts = await read(true);
        const after = totalOf(parts);
        const by = found - Math.min(Math.max(found, Math.min(before, after)), Math.max(before, after));
        // a part that counts more than its share, as before there was a limit, lets the others fill up past it
        const fits = most === 0 || parts.every(({ part, count }) => count <= shareOf(part, most));
        if (by === 0 && fits) return;
        const changes = parts.map(({ part, count }) => ({ part, by: shareOf(part, after + by) - count }));
        await Promise.all(changes.filter((one) => one.by !== 0).map((one) => addTo(one.part, one.by)));
      };
    },
  };
}

const totalOf = (parts: readonly Part[]): number => parts.reduce((sum, { count }) => sum + count, 0);

/** The part that counts a connection first. */
const partOf = (connectionId: string): number =>
  [...connectionId].reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) >>> 0, 0) % PARTS.length;

/** A part's share of a number. The shares of all are the number. */
const shareOf = (part: number, whole: number): number => Math.floor((whole + PARTS.length - 1 - part) / PARTS.length);

/** The number of open connections, in several items: one alone takes 1,000 writes a second, and a dropped network is more. */
import { number } from './item.ts';
import { counterKey } from './keys.ts';
import { computed, type Table } from './table.ts';

/** Each takes its share of the limit, so that the limit is exact. Any of them may count a connection that closes. */
const PARTS = Array.from({ length: 16 }, (_, part) => part);

/** Fraction of the connections that the count may be wrong by: it always is a little, while they come and go. */
const LEFT_ALONE = 0.01;

/** A part whose share is nothing may have counted more that closed than opened. */
const BELOW = '#count < :limit';

export interface ConnectionCounter {
  /** Counts a connection as open (1) or closed (-1). */
  add(connectionId: string, by: 1 | -1): Promise<void>;
  /** Counts a connection as open, unless `most` are. */
  take(connectionId: string, most: number): Promise<boolean>;
  /** About how many are open, and when the first ever was, in ms. */
  counted(): Promise<{ readonly count: number; readonly sinceMs: number | null }>;
  /** Reads the count. The function returned sets it right, given how many were open when it was read. */
  recount(): Promise<(open: number) => Promise<void>>;
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
    async recount() {
      const parts = await read(true);
      return async (open) => {
        if (Math.abs(open - totalOf(parts)) <= open * LEFT_ALONE) return;
        // shares of the true number: a part that counts too many would let the others fill up past the limit
        const changes = parts.map(({ part, count }) => ({ part, by: shareOf(part, open) - count }));
        await Promise.all(changes.filter(({ by }) => by !== 0).map(({ part, by }) => addTo(part, by)));
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

import type { Streams } from '../../../core/ports/streams.ts';
import { number, ttl } from './item.ts';
import { streamsKey } from './keys.ts';
import type { Table } from './table.ts';

export interface StreamsOptions {
  readonly table: Table;
  /** No stream lasts longer than this. */
  readonly lifeMs: number;
}

/**
 * Counts the open streams by the stretch of time in which they began. A stretch is as long as a stream may last, so the
 * current one and the one before hold them all. The streams of a killed function are forgotten with their stretch.
 */
export function dynamoStreams({ table, lifeMs }: StreamsOptions): Streams {
  const stretchOf = (atMs: number): number => Math.floor(atMs / lifeMs);
  const add = async (stretch: number, by: number): Promise<number> => {
    const { item } = await table.update(streamsKey(stretch), {
      set: { expiresAt: ttl((stretch + 3) * lifeMs) },
      add: { open: by },
      returns: 'ALL_NEW',
    });
    return number(item ?? {}, 'open');
  };
  return {
    async enter(atMs) {
      const stretch = stretchOf(atMs);
      const [now, before] = await Promise.all([add(stretch, 1), table.get(streamsKey(stretch - 1), { consistent: false })]);
      return now + number(before ?? {}, 'open');
    },
    async leave(enteredAtMs) {
      await add(stretchOf(enteredAtMs), -1);
    },
  };
}

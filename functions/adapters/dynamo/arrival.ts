/**
 * When a connection's messages came, kept in its record by the one update that each message makes: either the last ten
 * arrival times of messages that have a pace, shifted along; or a count for each of the last four seconds. All in
 * scalars, so that one expression does it.
 */
import { type Item, number } from './client.ts';

const TIMES = 10;
const SLOTS = 4;
/** A stale count below this is left: it makes the limit of 100 a little tighter, once. */
const WORTH_MENDING = 10;
/** A pace is so many messages in so long. */
const PACE_MS = 1000;

const slotOf = (atMs: number): string => `c${Math.floor(atMs / 1000) % SLOTS}`;

/** An expression can shift only what is there. */
export const firstTimes: Readonly<Record<string, number>> = Object.fromEntries(
  Array.from({ length: TIMES }, (_, index) => [`t${index}`, 0]),
);

export interface Arrival {
  readonly sets: string;
  readonly adds: string;
  readonly values: Item;
  /** What must hold for the message to be in time; else it leaves no trace. */
  readonly condition: string | null;
}

/** A message that has a pace: in time where the one so many before it is long enough ago. */
export function pacedTimes(atMs: number, pace: number): Arrival {
  const shifted = Array.from({ length: TIMES - 1 }, (_, index) => `t${TIMES - 1 - index} = t${TIMES - 2 - index}`);
  return {
    sets: [...shifted, 't0 = :now'].join(', '),
    adds: '',
    values: { ':now': atMs, ':before': atMs - PACE_MS },
    condition: `t${Math.min(pace, TIMES) - 1} <= :before`,
  };
}

export function addTimes(atMs: number, weight: number): Arrival {
  const slot = slotOf(atMs);
  const others = Array.from({ length: SLOTS }, (_, index) => `c${index}`).filter((name) => name !== slot);
  return {
    sets: ['countedAt = :now', ...others.map((name) => `${name} = :none`)].join(', '),
    adds: `${slot} :weight, `,
    values: { ':now': atMs, ':none': 0, ':weight': weight },
    condition: null,
  };
}

const sameSecond = (old: Item, atMs: number): boolean => Math.floor(number(old, 'countedAt') / 1000) === Math.floor(atMs / 1000);

/** Messages that came before in this second. */
export const countIn = (old: Item, atMs: number): number => (sameSecond(old, atMs) ? number(old, slotOf(atMs)) : 0);

/** A count that is left of four, eight, … seconds ago, with no message in between that would have cleared it. */
export function staleCount(old: Item, atMs: number): { slot: string; count: number } | null {
  const slot = slotOf(atMs);
  const count = sameSecond(old, atMs) ? 0 : number(old, slot);
  return count >= WORTH_MENDING ? { slot, count } : null;
}

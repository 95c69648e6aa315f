/**
 * Arrival times of a connection's messages, kept in its record by the one update that each message makes: either the last
 * ten times of messages that have a pace, shifted along; or a count for each of the last four seconds. All are scalars, so
 * that one expression does it.
 */
import { type Item, number } from './item.ts';
import { computed } from './table.ts';

const TIMES = 10;
const SLOTS = 4;
/** A stale count below this is left: it tightens the limit of 100 a little, once. */
const WORTH_MENDING = 10;
/** A pace is so many messages in this time. */
const PACE_MS = 1000;

const slotOf = (atMs: number): string => `c${Math.floor(atMs / 1000) % SLOTS}`;

/** An expression can shift only what exists. */
export const firstTimes: Readonly<Record<string, number>> = Object.fromEntries(
  Array.from({ length: TIMES }, (_, index) => [`t${index}`, 0]),
);

export interface Arrival {
  readonly set: Item;
  readonly add: Readonly<Record<string, number>>;
  readonly values: Item;
  /** The message is in time if this holds; otherwise it leaves no trace. */
  readonly when: string | null;
}

/** A message that has a pace: in time if the one `pace` before it is long enough ago. */
export function pacedTimes(atMs: number, pace: number): Arrival {
  const shifted = Array.from({ length: TIMES - 1 }, (_, index) => [`t${TIMES - 1 - index}`, computed(`#t${TIMES - 2 - index}`)]);
  return {
    set: { ...Object.fromEntries(shifted), t0: atMs },
    add: {},
    values: { before: atMs - PACE_MS },
    when: `#t${Math.min(pace, TIMES) - 1} <= :before`,
  };
}

export function addTimes(atMs: number, weight: number): Arrival {
  const slot = slotOf(atMs);
  const others = Array.from({ length: SLOTS }, (_, index) => `c${index}`).filter((name) => name !== slot);
  return {
    set: { countedAt: atMs, ...Object.fromEntries(others.map((name) => [name, 0])) },
    add: { [slot]: weight },
    values: {},
    when: null,
  };
}

const sameSecond = (old: Item, atMs: number): boolean => Math.floor(number(old, 'countedAt') / 1000) === Math.floor(atMs / 1000);

/** Messages that came earlier in this second. */
export const countIn = (old: Item, atMs: number): number => (sameSecond(old, atMs) ? number(old, slotOf(atMs)) : 0);

/** A count from four, eight, … seconds ago, with no message in between that would have cleared it. */
export function staleCount(old: Item, atMs: number): { slot: string; count: number } | null {
  const slot = slotOf(atMs);
  const count = sameSecond(old, atMs) ? 0 : number(old, slot);
  return count >= WORTH_MENDING ? { slot, count } : null;
}

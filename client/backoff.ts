/** How long a connection waits for what. */
import type { Wire } from './follower.ts';

/** Full jitter from the first retry on: after an outage clients must not return together. */
const SHORTEST_MS = 500;
const FIRST_CAP_MS = 2_000;
const LONGEST_MS = 20_000;

/** The pause before the next try, 0.5 to 20 s, after so many failures in a row (from 1 up). */
export function pauseMs(failures: number, random: () => number): number {
  const cap = Math.min(LONGEST_MS, FIRST_CAP_MS * 2 ** Math.min(failures - 1, 10));
  return SHORTEST_MS + random() * (cap - SHORTEST_MS);
}

/** Token, handshake and first frame together must not take longer; three times as long after failures, because the server may be busy. In ms. */
const OPENING_MS = 20_000;
const LONGEST_OPENING = 3;

export const openingMs = (failures: number): number => OPENING_MS * Math.min(LONGEST_OPENING, 1 + failures);

/** A connection is replaced at a random moment of this stretch: the platform ends it after two hours. */
const ROTATE_FROM_MS = 96 * 60_000;
const ROTATE_TO_MS = 114 * 60_000;

export const rotationMs = (random: () => number): number => ROTATE_FROM_MS + random() * (ROTATE_TO_MS - ROTATE_FROM_MS);

/** A link that lasted this long after its first frame has proved itself: the next failure counts from one. In ms. */
export const PROVEN_MS = 10_000;
/** A retry this near is not put forward, in ms. */
export const SOON_MS = 2_000;
/** Requests that wait for answers are looked at again after this, in ms. */
export const SETTLE_MS = 1_000;
/** A client with too many connections waits this long, and so does the replacement of a link that works. In ms. */
export const PATIENCE_MS = 60_000;

/** After how long a client that the server asked to come back does so, in ms; NaN if the hint cannot be read. */
export function hintMs({ after_ms: after, within_ms: within }: Wire, isNew: boolean, random: () => number): number {
  // a server that says so to every new connection must not be obeyed at once
  return Number(after) + random() * Number(within) + (isNew ? PROVEN_MS : 0);
}

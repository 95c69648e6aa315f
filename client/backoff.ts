/** Full jitter from the first retry on: after an outage clients must not return together. */
const SHORTEST_MS = 500;
const FIRST_CAP_MS = 2_000;
const LONGEST_MS = 20_000;

/** The pause before the next try, 0.5 to 20 s, after so many failures in a row (from 1 up). */
export function pauseMs(failures: number, random: () => number): number {
  const cap = Math.min(LONGEST_MS, FIRST_CAP_MS * 2 ** Math.min(failures - 1, 10));
  return SHORTEST_MS + random() * (cap - SHORTEST_MS);
}

/** A connection is replaced at a random moment of this stretch: the platform ends it after two hours. */
const ROTATE_FROM_MS = 96 * 60_000;
const ROTATE_TO_MS = 114 * 60_000;

export const rotationMs = (random: () => number): number => ROTATE_FROM_MS + random() * (ROTATE_TO_MS - ROTATE_FROM_MS);

/** When a service that died is started again. It is never given up: after many deaths it is tried slowly. */

/** Deaths within this time count together, in ms. */
const WINDOW_MS = 10 * 60_000;
/** After so many of them the service is failing, which is reported once. */
export const FAILING = 5;
const LONGEST_MS = 60_000;
/** A service that died and has run again for this long has recovered, in ms. */
export const RECOVERED_MS = 5_000;
/** After this long its deaths are forgotten. */
export const WELL_MS = 60_000;

/** The first pause, in ms. Each is twice the one before. */
export const FIRST_MS = 1_000;

/** The pause after so many failures in a row (from 1 up), in ms: half of it at random, so that what failed together does not return together. */
export function pauseMs(failures: number, longestMs: number, random: () => number): number {
  const most = Math.min(longestMs, FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return most / 2 + (random() * most) / 2;
}

export interface Deaths {
  /** Notes a death. Returns the pause before the next start, in ms. */
  note(nowMs: number): number;
  readonly count: number;
  /** It ran well for a while: the next death is the first. */
  forget(): void;
}

/** @param random 0 to 1: services that died together do not start together */
export function countDeaths(random: () => number): Deaths {
  let times: number[] = [];
  return {
    get count() {
      return times.length;
    },
    note(nowMs) {
      times = [...times.filter((time) => nowMs - time < WINDOW_MS), nowMs];
      return pauseMs(times.length, LONGEST_MS, random);
    },
    forget() {
      times = [];
    },
  };
}

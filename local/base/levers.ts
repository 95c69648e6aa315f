/** Faults of the platform that tests can inject into a local run. All are off by default. */
export interface Levers {
  /** Fraction of events that are delivered twice. */
  duplicateEvents: number;
  /** Each event is delayed by a random time up to this. */
  reorderEventsMs: number;
  /** Fraction of `@connections` calls that are answered with 429. */
  throttlePosts: number;
  /** Fraction of `@connections` calls that are answered with 500. */
  failPosts: number;
  /** Fraction of the functions' other calls (queues, bus, bucket) that are answered with 500. */
  failCalls: number;
  /** Fraction of `$disconnect` events that are never delivered. */
  loseDisconnects: number;
  /** Fraction of a function's invocations that are killed half-way, by function name. */
  readonly kill: Map<string, number>;
  /** From 0 up to 1. The same seed gives the same sequence. */
  random(): number;
}

export function makeLevers(seed: number): Levers {
  let state = seed >>> 0;
  return {
    duplicateEvents: 0,
    reorderEventsMs: 0,
    throttlePosts: 0,
    failPosts: 0,
    failCalls: 0,
    loseDisconnects: 0,
    kill: new Map(),
    random() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

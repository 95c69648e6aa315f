/** What tests may do to the local run: the misfortunes that the platform has in store. All off by default. */
export interface Levers {
  /** Share of events that are delivered twice. */
  duplicateEvents: number;
  /** Events are held back by up to so many ms, each by its own. */
  reorderEventsMs: number;
  /** Share of posts to connections answered 429. */
  throttlePosts: number;
  /** Share of posts to connections answered 500. */
  failPosts: number;
  /** Share of the functions' other calls (queues, bus, bucket) answered 500. */
  failCalls: number;
  /** Share of `$disconnect` events that are never delivered. */
  loseDisconnects: number;
  /** Share of a function's invocations that are killed half-way, by function name. */
  readonly kill: Map<string, number>;
  /** Between 0 and 1, from the seed. */
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

/** Faults of the platform that tests can inject into a local run. By default there are none, and quotas are the platform's. */
import { randomOf } from './random.mjs';

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
  /** Fraction of a function's invocations that begin with the clock as it was 6 minutes ago, by function name. */
  readonly freeze: Map<string, number>;
  /** Executions at once, in the account and of some functions; an invocation past them is throttled. */
  readonly concurrency: { account: number; readonly functions: Map<string, number> };
  /** The account's quota of requests a second, and at once, which the HTTP API and `@connections` share. @default the platform's */
  readonly requests: { rate: number; burst: number };
  /** Whether function URLs hold each piece of a streamed response back until the next one comes. */
  holdPieces: boolean;
  readonly tables: TableLevers;
  /** From 0 up to 1. The same seed gives the same sequence. */
  random(): number;
}

export interface TableLevers {
  /** How far reads that do not ask for strength lag behind, in ms. `Infinity`: they see nothing that is written from now on. */
  staleReadsMs: number;
  /** Fraction of conditional writes that are applied, and whose first answer is a 500. */
  loseWrites: number;
  /** Writes a second to the items of one partition key; more are throttled. @default no limit */
  partitionWrites: number;
  /** How many were. */
  readonly throttledWrites: number;
  /** The values, as float64, for the tables' thread. */
  readonly shared: SharedArrayBuffer;
}

export const makeLevers = (seed: number): Levers => ({
  duplicateEvents: 0,
  reorderEventsMs: 0,
  throttlePosts: 0,
  failPosts: 0,
  failCalls: 0,
  loseDisconnects: 0,
  kill: new Map(),
  freeze: new Map(),
  concurrency: { account: Number.POSITIVE_INFINITY, functions: new Map() },
  holdPieces: false,
  requests: { rate: 10_000, burst: 5_000 },
  tables: tableLevers(),
  random: randomOf(seed),
});

export function tableLevers(): TableLevers {
  const shared = new SharedArrayBuffer(32);
  const values = new Float64Array(shared);
  values[2] = Number.POSITIVE_INFINITY;
  const at = (index: number) => ({
    enumerable: true,
    get: () => values[index],
    set: (value: number) => {
      values[index] = value;
    },
  });
  return Object.defineProperties(
    { shared },
    { staleReadsMs: at(0), loseWrites: at(1), partitionWrites: at(2), throttledWrites: at(3) },
  ) as TableLevers;
}

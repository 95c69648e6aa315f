import type { Clock } from '../../core/ports/clock.ts';
import { timeoutMs } from './env.ts';

/** Milliseconds since 1970, and milliseconds that only go forward. */
export interface Times {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

export interface EnvironmentClock {
  now(): number;
  /** An invocation starts, with so much time left. */
  start(remainingMs: number): void;
}

/**
 * Time in an execution environment. One that was frozen can wake with the time at which it froze, and trust a turn that ended
 * minutes ago, or sign requests that are refused. Each invocation's deadline says when it started: time is never before that.
 *
 * @param timeoutMs the function's time-out
 */
export function environmentClock(timeoutMs: number, { wall, monotonic }: Times): EnvironmentClock {
  let started = { timeMs: 0, monotonicMs: 0 };
  return {
    now: () => Math.max(wall(), Math.floor(started.timeMs + monotonic() - started.monotonicMs)),
    start(remainingMs) {
      // the runtime computed the rest from the same wall clock, so that what is wrong with it cancels out
      started = { timeMs: wall() + remainingMs - timeoutMs, monotonicMs: monotonic() };
    },
  };
}

let made: EnvironmentClock | null = null;
const thisEnvironment = (): EnvironmentClock => {
  made ??= environmentClock(timeoutMs(), { wall: () => Date.now(), monotonic: () => performance.now() });
  return made;
};

/** Called first in each invocation. */
export const startClock = (context: { getRemainingTimeInMillis(): number }): void =>
  thisEnvironment().start(context.getRemainingTimeInMillis());

/** The time in this environment, in milliseconds since 1970. */
export const environmentNow = (): number => thisEnvironment().now();

/**
 * An SDK client that signs with the time of this environment. By itself the SDK learns a lag from a refused call, keeps it after
 * the clock is right again, and does not retry that call.
 */
export function inEnvironmentTime<Client extends { readonly config: object }>(client: Client): Client {
  const lagMs = (): number => environmentNow() - Date.now();
  let learntMs = 0;
  Object.defineProperty(client.config, 'systemClockOffset', {
    get: () => learntMs + lagMs(),
    set: (offsetMs: number) => {
      learntMs = offsetMs - lagMs();
    },
  });
  return client;
}

export const systemClock = (): Clock => ({
  now: thisEnvironment().now,
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
});

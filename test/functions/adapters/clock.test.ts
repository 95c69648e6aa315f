import { describe, expect, test } from 'vitest';
import { environmentClock } from '../../../functions/adapters/clock.ts';

const TIMEOUT_MS = 20_000;
const FROZEN_MS = 360_000;

/** An environment whose wall clock can lag behind, as Lambda's runtime shows it. */
function environment() {
  const time = { trueMs: 1_000_000_000_000, lagMs: 0 };
  const clock = environmentClock(TIMEOUT_MS, { wall: () => time.trueMs - time.lagMs, monotonic: () => time.trueMs });
  /** An invocation that the platform started `agoMs` ago. */
  const start = (agoMs = 0): void => clock.start(time.trueMs - agoMs + TIMEOUT_MS - (time.trueMs - time.lagMs));
  return { time, clock, start };
}

describe('the clock of an environment', () => {
  test('is the wall clock', () => {
    const { time, clock, start } = environment();
    start();
    time.trueMs += 5;
    expect(clock.now()).toBe(time.trueMs);
  });

  test('is right at once after a freeze, while the wall clock lags behind and after it was set', () => {
    const { time, clock, start } = environment();
    start();
    time.trueMs += FROZEN_MS;
    time.lagMs = FROZEN_MS;
    start();
    expect(clock.now()).toBe(time.trueMs);
    time.trueMs += 40;
    expect(clock.now()).toBe(time.trueMs);
    time.lagMs = 0;
    time.trueMs += 40;
    expect(clock.now()).toBe(time.trueMs);
  });

  test('does not run ahead if an invocation has waited before it began', () => {
    const { time, clock, start } = environment();
    start(700);
    expect(clock.now()).toBe(time.trueMs);
  });

  test('is the wall clock again in the next invocation, if that once ran ahead', () => {
    const { time, clock, start } = environment();
    time.lagMs = -FROZEN_MS;
    start();
    expect(clock.now()).toBe(time.trueMs + FROZEN_MS);
    time.lagMs = 0;
    time.trueMs += 10;
    start();
    expect(clock.now()).toBe(time.trueMs);
  });
});

import type { Clock } from '../../../core/ports/clock.ts';

export interface MemoryClock extends Clock {
  /** Sleeping passes the time. */
  nowMs: number;
}

export function memoryClock(nowMs = Date.UTC(2026, 1, 6, 3)): MemoryClock {
  const clock: MemoryClock = {
    nowMs,
    now: () => clock.nowMs,
    async sleep(ms) {
      clock.nowMs += ms;
    },
  };
  return clock;
}

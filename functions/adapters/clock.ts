import type { Clock } from '../../core/ports/clock.ts';

export const systemClock = (): Clock => ({
  now: () => Date.now(),
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
});

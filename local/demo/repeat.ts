import type { LocalClock } from '../base/clock.ts';

/** Runs `work` now, and again `pauseMs` after each run has ended. Returns a function that stops it, and waits for a run in flight. */
export function repeat(
  clock: Pick<LocalClock, 'after'>,
  pauseMs: number,
  work: (isStopped: () => boolean) => Promise<void>,
): () => Promise<void> {
  let stopped = false;
  let cancel = (): void => undefined;
  const round = async (): Promise<void> => {
    await work(() => stopped);
    if (stopped) return;
    cancel = clock.after(pauseMs, () => {
      running = round();
    });
  };
  let running = round();
  return async () => {
    stopped = true;
    cancel();
    await running;
  };
}

/** Runs `work` now, and again `pauseMs` after each run has ended. Returns a function that stops it, and waits for a run in flight. */
export function repeat(pauseMs: number, work: (isStopped: () => boolean) => Promise<void>): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    await work(() => stopped);
    if (stopped) return;
    timer = setTimeout(() => {
      running = round();
    }, pauseMs);
  };
  let running = round();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

/** Works at once, and again so long after each time it has ended. Gives the way to stop, which waits for what is under way. */
export function repeat(pauseMs: number, work: (isStopped: () => boolean) => Promise<void>): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const turn = async (): Promise<void> => {
    await work(() => stopped);
    if (stopped) return;
    timer = setTimeout(() => {
      running = turn();
    }, pauseMs);
  };
  let running = turn();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

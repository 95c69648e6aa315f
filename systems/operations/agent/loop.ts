/** Work that is done again and again. */

export interface Loop {
  /** Does it now, and not only after its pause. */
  kick(): void;
  /** Ends it; resolves when what is being done has ended. */
  stop(): Promise<void>;
}

/** Calls `work`, and again `pauseMs` after it ended; at once if it returns true. After an error, which `failed` is called with, the next call comes all the same. */
export function repeat(pauseMs: number | (() => number), work: () => Promise<boolean | undefined>, failed: (error: Error) => void): Loop {
  let isOver = false;
  let kicked = false;
  let wake = (): void => undefined;
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, typeof pauseMs === 'number' ? pauseMs : pauseMs());
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const run = async (): Promise<void> => {
    while (!isOver) {
      kicked = false;
      let again: boolean | undefined;
      try {
        again = await work();
      } catch (error) {
        failed(error instanceof Error ? error : new Error(String(error)));
      }
      if (!again && !kicked && !isOver) await pause();
    }
  };
  const running = run();
  return {
    kick() {
      kicked = true;
      wake();
    },
    stop() {
      isOver = true;
      wake();
      return running;
    },
  };
}

/** Does one piece of work after the other, in the order in which they were given. */
export function oneByOne(): <Value>(work: () => Promise<Value>) => Promise<Value> {
  let turns: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = turns.then(work);
    turns = mine.catch(() => undefined);
    return mine;
  };
}

import type { Levers } from '../base/levers.ts';

/** The executions of an account's functions at one time. */
export interface Executions {
  /** Begins one, and returns the function that ends it. Throws a ThrottledError if there is no room. */
  begin(name: string): () => void;
}

/** The failure that a service gets if it invokes a function that is throttled. */
export class ThrottledError extends Error {
  override readonly name = 'TooManyRequestsException';
}

export function executions({ concurrency }: Levers): Executions {
  const running = new Map<string, number>();
  let all = 0;
  return {
    begin(name) {
      const own = running.get(name) ?? 0;
      if (all >= concurrency.account || own >= (concurrency.functions.get(name) ?? Number.POSITIVE_INFINITY))
        throw new ThrottledError('Rate Exceeded.');
      all++;
      running.set(name, own + 1);
      return () => {
        all--;
        running.set(name, (running.get(name) ?? 0) - 1);
      };
    },
  };
}

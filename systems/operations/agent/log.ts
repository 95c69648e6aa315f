/** The agent's own log. */
export type Log = (level: 'INFO' | 'WARNING' | 'ERROR', message: string) => void;

export interface FailureLog {
  say(level: 'WARNING' | 'ERROR', message: string): void;
  /** It works again: the same failure is logged anew. */
  over(): void;
}

/** Logs a failure that is seen at every attempt once, until another one follows or it is over. */
export function logOnce(log: Log): FailureLog {
  let last = '';
  return {
    say(level, message) {
      if (message !== last) log(level, message);
      last = message;
    },
    over() {
      last = '';
    },
  };
}

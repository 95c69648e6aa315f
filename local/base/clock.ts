/**
 * The clock of a local run: real time, plus a shift that tests can raise. Every wait of the run (visibility timeouts,
 * delays, schedules, idle sockets) uses it. The functions' own `Date` follows it through shared memory.
 */
export interface LocalClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once, after `ms`. Returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Moves time forward. Callbacks that fall due run at once, in order. */
  advance(ms: number): void;
  /** The shift in ms, as one float64 that the functions' workers read. */
  readonly shift: SharedArrayBuffer;
  stop(): void;
}

interface Alarm {
  readonly dueMs: number;
  readonly callback: () => void;
  timer: NodeJS.Timeout;
}

export function localClock(): LocalClock {
  const shift = new SharedArrayBuffer(8);
  const shifted = new Float64Array(shift);
  const alarms = new Set<Alarm>();
  const now = (): number => Date.now() + (shifted[0] ?? 0);
  const ring = (alarm: Alarm): void => {
    if (alarms.delete(alarm)) alarm.callback();
  };
  const arm = (alarm: Alarm): NodeJS.Timeout => setTimeout(() => ring(alarm), Math.max(0, alarm.dueMs - now()));
  return {
    now,
    shift,
    after(ms, callback) {
      const alarm = { dueMs: now() + ms, callback } as Alarm;
      alarm.timer = arm(alarm);
      alarms.add(alarm);
      return () => {
        clearTimeout(alarm.timer);
        alarms.delete(alarm);
      };
    },
    advance(ms) {
      shifted[0] = (shifted[0] ?? 0) + ms;
      for (const alarm of [...alarms].sort((a, b) => a.dueMs - b.dueMs)) {
        clearTimeout(alarm.timer);
        if (alarm.dueMs <= now()) ring(alarm);
        else alarm.timer = arm(alarm);
      }
    },
    stop() {
      for (const alarm of alarms) clearTimeout(alarm.timer);
      alarms.clear();
    },
  };
}

/**
 * Time as the local run sees it: real time, which tests may set forward. What waits (visibility, delays, schedules,
 * idle sockets) waits on it; the functions' own `Date` follows it through shared memory.
 */
export interface LocalClock {
  now(): number;
  /** Calls back once, after so many ms. Gives the way to call it off. */
  after(ms: number, callback: () => void): () => void;
  /** Sets the time forward; what falls due is called in order. */
  advance(ms: number): void;
  /** Holds how far the time is set forward, in ms: for the functions' workers. */
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

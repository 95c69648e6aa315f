/** Event streams instead of a WebSocket, for as long as WebSockets are blocked. */
import { createStreams, type StreamsForm } from './streams.ts';

/** While streams work, a WebSocket is tried this often, doubling, in ms: a choice of one bad minute must not last. */
const FIRST_TRY_MS = 60_000;
const LONGEST_TRY_MS = 600_000;

export interface Fallback {
  /** Streams bring something. */
  readonly works: boolean;
  start(): void;
  stop(): void;
  sync(): void;
  /** Pause before the next WebSocket try, in ms; `null` if streams do not work either. Each call lengthens the next. */
  nextPauseMs(): number | null;
}

/** `changed`: streams work from now on, or no longer. */
export function createFallback(form: Omit<StreamsForm, 'work'>, changed: () => void): Fallback {
  let works = false;
  let tries = 0;
  let streams: ReturnType<typeof createStreams> | null = null;
  return {
    get works() {
      return works;
    },
    start() {
      streams ??= createStreams({
        ...form,
        work(does) {
          if (works === does) return;
          works = does;
          changed();
        },
      });
      streams.sync();
    },
    stop() {
      streams?.close();
      streams = null;
      works = false;
      tries = 0;
    },
    sync: () => streams?.sync(),
    nextPauseMs: () => (works ? Math.min(LONGEST_TRY_MS, FIRST_TRY_MS * 2 ** tries++) * (0.5 + form.env.random() / 2) : null),
  };
}

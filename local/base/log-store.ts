/** The functions' logs of the local run, by log group, as CloudWatch would have them. */
import type { LocalClock } from './clock.ts';

export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

export interface LogStore {
  add(group: string, line: string): void;
  /** Lines since then that contain all of these texts, oldest first. */
  find(group: string, sinceMs: number, texts: readonly string[]): readonly LogEvent[];
}

/** The newest lines that are kept, of all groups together: a laptop has other uses for its memory. */
const KEPT = 1_000;

export function logStore(clock: Pick<LocalClock, 'now'>): LogStore {
  const lines: (LogEvent & { readonly group: string })[] = [];
  /** The place of the next line: once all are taken, the oldest line gives way. */
  let next = 0;
  return {
    add(group, line) {
      // a copy: a part of a longer text would keep the whole of it in memory
      const message = Buffer.from(line).toString();
      lines[next] = { group, timestamp: clock.now(), message };
      next = (next + 1) % KEPT;
    },
    find: (group, sinceMs, texts) =>
      [...lines.slice(next), ...lines.slice(0, next)].filter(
        (line) => line.group === group && line.timestamp >= sinceMs && texts.every((text) => line.message.includes(text)),
      ),
  };
}

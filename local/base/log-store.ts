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

/** Lines that are kept of each group. */
const KEPT = 5_000;

export function logStore(clock: Pick<LocalClock, 'now'>): LogStore {
  const groups = new Map<string, LogEvent[]>();
  return {
    add(group, message) {
      const lines = groups.get(group) ?? [];
      groups.set(group, lines);
      lines.push({ timestamp: clock.now(), message });
      // seldom, because it moves all that stay
      if (lines.length >= 2 * KEPT) lines.splice(0, KEPT);
    },
    find: (group, sinceMs, texts) =>
      (groups.get(group) ?? []).filter(({ timestamp, message }) => timestamp >= sinceMs && texts.every((text) => message.includes(text))),
  };
}

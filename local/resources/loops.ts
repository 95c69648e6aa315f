/**
 * The platform's detection of recursive loops. A trace header counts how often each function was invoked on the way to a
 * message, in a field `Lineage=name:count|name:count`; the SDK hands it from an invocation to the queues that it fills.
 */
import { randomBytes } from 'node:crypto';

/** AWS stops a function after about this many invocations in one chain, unless its `RecursiveLoop` is `Allow`. */
const MAX_INVOCATIONS = 16;

/** The header of an invocation that these messages cause: the longest chain among them, and one more. */
export function invocationTrace(name: string, traces: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const trace of traces) for (const [fn, count] of lineageOf(trace)) counts.set(fn, Math.max(counts.get(fn) ?? 0, count));
  counts.set(name, (counts.get(name) ?? 0) + 1);
  const root = `1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
  return `Root=${root};Sampled=0;Lineage=${[...counts].map(([fn, count]) => `${fn}:${count}`).join('|')}`;
}

/** Whether the platform would not invoke the function with this message. */
export const loopsTooLong = (name: string, trace: string): boolean => (lineageOf(trace).get(name) ?? 0) >= MAX_INVOCATIONS;

function lineageOf(trace: string): Map<string, number> {
  const [, lineage = ''] = /(?:^|;)Lineage=([^;]*)/.exec(trace) ?? [];
  return new Map(
    lineage.split('|').flatMap((hop): [string, number][] => {
      const [, name, count] = /^(.+):(\d+)$/.exec(hop) ?? [];
      return name ? [[name, Number(count)]] : [];
    }),
  );
}

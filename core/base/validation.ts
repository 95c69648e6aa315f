/** Text and JSON from outside, checked: each failure is a PushError that says where, what was expected and what came. */
import type { BaseIssue } from 'valibot';
import * as v from 'valibot';
import { PushError } from '../errors.ts';
import { parseMicros } from './time.ts';

/** Makes one error of a schema's issues. */
export function explain(issues: readonly BaseIssue<unknown>[], what: string, details: Record<string, unknown> = {}): PushError {
  const found = issues.slice(0, 10).map((issue) => ({
    path: v.getDotPath(issue) ?? '',
    expected: issue.expected ?? issue.message,
    received: issue.received.slice(0, 100),
    message: issue.received === 'undefined' ? 'is missing' : issue.message.slice(0, 200),
  }));
  const [first] = found;
  const where = first?.path ? `${what}.${first.path}` : what;
  return new PushError('INVALID_MESSAGE_FORMAT', `${where}: ${first?.message ?? 'invalid'}`, { issues: found, ...details });
}

/** JSON, or a PushError. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PushError('INVALID_MESSAGE_FORMAT', 'expected JSON', { received_message: text.slice(0, 200) });
  }
}

/** Schema of a JSON object, whatever it holds. To `v.record` alone an array would be one, with numbers as names. */
export const jsonObject = v.pipe(
  v.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'expected a JSON object'),
  v.record(v.string(), v.unknown()),
);

/** Schema of an instant in an event's detail. */
export const instant = v.pipe(
  v.string(),
  v.check((text) => parseMicros(text) !== null, 'expected ISO 8601 with a zone, such as 2026-02-06T22:48:44.590151+00:00'),
);

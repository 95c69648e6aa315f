import type { BaseIssue } from 'valibot';
import { getDotPath } from 'valibot';
import { PushError } from '../errors.ts';

/** Turns what the schema library found into an error that says where, what was expected and what came. */
export function explain(issues: readonly BaseIssue<unknown>[], what: string, details: Record<string, unknown> = {}): PushError {
  const found = issues.slice(0, 10).map((issue) => ({
    path: getDotPath(issue) ?? '',
    expected: issue.expected ?? issue.message,
    received: issue.received.slice(0, 100),
    message: issue.received === 'undefined' ? 'is missing' : issue.message.slice(0, 200),
  }));
  const [first] = found;
  const where = first?.path ? `${what}.${first.path}` : what;
  return new PushError('INVALID_MESSAGE_FORMAT', `${where}: ${first?.message ?? 'invalid'}`, { issues: found, ...details });
}

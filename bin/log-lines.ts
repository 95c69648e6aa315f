import { type CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import type { LogLine } from '../core/events/trace.ts';

/** The lines of a log group since then that contain this text, oldest first. */
export async function linesIn(client: CloudWatchLogsClient, logGroupName: string, text: string, sinceMs: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  const query = { logGroupName, startTime: sinceMs, filterPattern: JSON.stringify(text) };
  // CloudWatch gives empty pages while it searches
  for await (const { events = [] } of paginateFilterLogEvents({ client }, query))
    for (const { timestamp = 0, message = '' } of events) lines.push({ atMs: timestamp, text: message });
  return lines;
}

/** The functions' logs in an emulator. */
import { CloudWatchLogsClient, paginateDescribeLogGroups, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { clientOptions, type Target } from './target.ts';

/** The lines of all functions that hold one of these texts, each after the name of its log group; and the number of all lines. */
export async function logLines(target: Target, texts: readonly string[]): Promise<{ lines: string[]; all: number }> {
  const client = new CloudWatchLogsClient(clientOptions(target));
  const lines: string[] = [];
  let all = 0;
  try {
    for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {}))
      for (const { logGroupName = '' } of logGroups)
        for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName })) {
          all += events.length;
          for (const { message = '' } of events)
            if (texts.some((text) => message.includes(text))) lines.push(`${logGroupName}: ${message.trim()}`);
        }
    return { lines, all };
  } finally {
    client.destroy();
  }
}

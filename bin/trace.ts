/** `npm run trace -- <event id>`: where did my event go? From the functions' logs, on the laptop and in CloudWatch alike. */
import './node-version.ts';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { committedIn, type LogLine, storyOf } from '../core/events/trace.ts';
import { commandLine, printable } from './command-line.ts';
import { linesIn } from './log-lines.ts';
import { resourcesOf, stackTarget, TARGET_OPTIONS, TARGET_USAGE } from './stack-target.ts';

const USAGE = `usage: npm run --silent trace -- ID      the way of the event with this id
${TARGET_USAGE}
         --since 60     minutes of logs to read
an id is the one that was published, or EventBridge's own; INFO lines must be logged (LOG_LEVEL)`;

/** Log groups of the functions on an event's way, by their ids in the template. */
const ON_THE_WAY = /^(Httprest|Ingestingest|Deliveryfanout)/;

async function main(): Promise<void> {
  const { values, positionals } = commandLine(USAGE, {
    options: { ...TARGET_OPTIONS, since: { type: 'string', default: '60' } },
    allowPositionals: true,
  });
  const [id, ...rest] = positionals;
  if (!id || rest.length > 0) throw new Error(`expected one id\n${USAGE}`);
  if (!/^[1-9]\d{0,5}$/.test(values.since)) throw new Error(`--since: expected minutes, got ${JSON.stringify(values.since)}`);
  const target = stackTarget(values, process.env);
  const groups = (await resourcesOf(target)).filter(({ id: name, type }) => type === 'AWS::Logs::LogGroup' && ON_THE_WAY.test(name));
  const client = new CloudWatchLogsClient(target.client);
  const find = async (text: string): Promise<LogLine[]> => {
    const lines: LogLine[] = [];
    const startTime = Date.now() - Number(values.since) * 60_000;
    for (const { physicalId } of groups)
      lines.push(...(await linesIn(client, physicalId, text, startTime)).filter((line) => line.text.startsWith('{')));
    return lines;
  };
  try {
    // as it stands in a line of JSON
    const lines = await find(JSON.stringify(id).slice(1, -1));
    const deliveries: LogLine[] = [];
    for (const topic of committedIn(id, lines).keys()) deliveries.push(...(await find(topic)));
    const story = storyOf(id, lines, deliveries);
    if (story.length === 0)
      throw new Error(
        `nothing is known of ${id} in the last ${values.since} minutes: --since reads more; the local run keeps its newest 1,000 log lines`,
      );
    for (const { atMs, text } of story) console.log(printable(`${new Date(atMs).toISOString()}  ${text}`));
  } finally {
    client.destroy();
  }
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});

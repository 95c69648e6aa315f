/** `npm run dead-letters` on the local run: what was given up is shown with its reason, and tried again. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshTicker, tick } from '../helpers/events.ts';
import { deadLettersOf, OWNER, type OwnRun, ownRun } from '../helpers/local.ts';
import { PROCESS_MS } from '../helpers/within.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

const run = promisify(execFile);
async function deadLetters(...words: string[]) {
  const env = { ...process.env, AWS_PORT: new URL(own.run.awsUrl).port };
  const command = ['--import', 'tsx', 'bin/dead-letters.ts', ...words];
  const { stdout, stderr } = await run(process.execPath, command, { env, timeout: PROCESS_MS }).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  return { out: stdout, error: stderr };
}
const events = () => [...own.run.queues.values()].find(({ name }) => name.startsWith('IngestEventsQueue'));
const envelope = (ticker: string) => {
  const { source, detailType, detail } = tick(ticker, 7);
  return JSON.stringify({
    id: `dead-${ticker}`,
    source,
    'detail-type': detailType,
    time: new Date(own.run.clock.now()).toISOString(),
    detail,
  });
};

test('an invalid event is listed and shown with its reason; redriven, it is given up again', async () => {
  events()?.send('no event');
  await own.run.settled();

  expect((await deadLetters('list')).out).toMatch(/^ {7}1 {2}IngestEventsDead\w+$/m);
  const shown = await deadLetters('show', 'IngestEvents');
  expect(shown.out).toMatch(/Z {2}\S.*\n {2}no event\n1 shown\n$/);
  const again = await deadLetters('redrive', 'ingestevents');
  expect(again.out).toBe('completed: 1 of about 1 moved\n');
  await own.run.settled();
  expect(deadLettersOf(own.run)).toHaveLength(1);
});

test('deleted, it is gone, but only for one who is sure', async () => {
  expect((await deadLetters('delete', 'IngestEvents')).error).toMatch(/^about 1 messages of IngestEventsDead\w+ would be lost for good/);
  expect(deadLettersOf(own.run)).toHaveLength(1);
  expect((await deadLetters('delete', 'IngestEvents', '--yes')).out).toMatch(/^IngestEventsDead\w+: about 1 deleted/);
  expect(deadLettersOf(own.run)).toHaveLength(0);
  // for the next test
  events()?.send('no event');
  await own.run.settled();
});

test('twenty redrives of one message are no loop that the platform would stop, and an event that can be served arrives', async () => {
  const [queue, dead] = [events(), events()?.dead()];
  const sqs = new SQSClient({ ...OWNER, endpoint: own.run.awsUrl });
  for (let times = 0; times < 20; times++) {
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: `arn:local:${dead?.name}`, DestinationArn: `arn:local:${queue?.name}` }));
    await own.run.settled();
    expect(dead?.size()).toBe(1);
  }
  sqs.destroy();

  const ticker = freshTicker();
  dead?.send(envelope(ticker));
  expect((await deadLetters('redrive', 'IngestEvents')).out).toBe('completed: 2 of about 2 moved\n');
  await own.run.settled();
  expect((await own.get(`/internal/price/${ticker}`)).body).toMatchObject({ price: 7 });
  expect(dead?.peek().map(({ body }) => body)).toEqual(['no event']);
});

test.each([
  [[], 'expected list, show QUEUE, redrive QUEUE or delete QUEUE'],
  [['show'], 'expected list, show QUEUE, redrive QUEUE or delete QUEUE'],
  [['show', 'nothing'], 'no dead-letter queue begins with nothing; there are '],
  [['show', 'IngestEvents', '--most', '0'], '--most: expected a whole number from 1 up'],
])('a mistake in %j is explained', async (words, text) => {
  expect((await deadLetters(...words)).error).toContain(text);
});

test('an empty queue is said to be empty', async () => {
  expect((await deadLetters('show', 'DeliveryJobs')).out).toBe('nothing to show: it is empty, or was shown within the last seconds\n');
  expect((await deadLetters('redrive', 'DeliveryJobs')).out).toMatch(/^DeliveryJobsDead\w+ is empty\n$/);
});

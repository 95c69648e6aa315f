/** Each alarm of the template is raised by what it is for, on the run's clock. (`iam.test.ts` has Undelivered.) */
import { ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, test } from 'vitest';
import { connect } from '../helpers/client.ts';
import { freshTicker, listed, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun, runWith, setClockTo, tablesClient } from '../helpers/local.ts';

let own: OwnRun;
afterEach(() => own.run.stop());

/** Lets minutes pass, and in each of them does something. */
async function minutes(count: number, each: () => Promise<unknown> = async () => undefined): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    await each();
    own.run.clock.advance(60_000);
    await own.run.settled();
  }
}
const raised = (): string[] =>
  own.run
    .alarms()
    .filter(({ state }) => state === 'ALARM')
    .map(({ name }) => name.replace('RealtimePush-local-', ''));
/** Minutes pass, each with the same trouble, until the alarm is raised. */
async function untilRaised(name: string, trouble: () => Promise<unknown>): Promise<void> {
  for (let minute = 0; minute < 12 && !raised().includes(name); minute++) await minutes(1, trouble);
  expect(raised()).toContain(name);
}
const times = <Value>(count: number, make: () => Promise<Value>): Promise<Value[]> => Promise.all(Array.from({ length: count }, make));
const queueOf = (name: string) => {
  const found = [...own.run.queues.values()].find((queue) => queue.name.startsWith(name));
  if (!found) throw new Error(`there is no queue ${name}`);
  return found;
};

describe('without trouble', () => {
  test('no alarm is raised, and a minute run that is on time is seen', async () => {
    own = await ownRun();
    await minutes(9);

    expect(raised()).toEqual([]);
    expect(own.run.alarms().every(({ state }) => state === 'OK')).toBe(true);
  });

  test('minutes that nobody saw raise none: a machine slept', async () => {
    own = await ownRun();
    await minutes(4);
    own.run.clock.advance(3_600_000);
    await minutes(2);

    expect(raised()).toEqual([]);
  });
});

describe('trouble', () => {
  test('DeadLetters: an event that is none', async () => {
    own = await ownRun();
    await untilRaised('DeadLetters-Events', async () => queueOf('IngestEventsQueue').send('no event'));
    expect(own.logs.join('\n')).toContain(
      'alarm RealtimePush-local-DeadLetters-Events: work was given up: Events. What to do: docs/operate.md#deadletters',
    );
  });

  test('OldestMessage: a queue that no function takes from', async () => {
    own = await ownRun();
    const jobs = queueOf('DeliveryJobsQueue');
    jobs.onVisible = () => undefined;
    jobs.send('{}');
    // the run is never settled: the message stays
    for (let minute = 0; minute < 8; minute++) {
      own.run.clock.advance(60_000);
      await own.get('/api/health');
    }
    expect(raised()).toContain('OldestMessage-Jobs');
  });

  test('InFlight: more messages in work than SQS allows', async () => {
    own = await ownRun();
    // what they hold is not read: they wait out their delay
    const jobs = queueOf('DeliveryJobsQueue');
    for (let count = 0; count < 100_000; count++) jobs.send('{}', { delaySeconds: 900 });
    await untilRaised('InFlight-Jobs', async () => undefined);
  });

  test('FunctionErrors: a function that is killed again and again; Throttles: an account without room', async () => {
    own = await ownRun();
    own.run.levers.kill.set('rest', 1);
    await untilRaised('FunctionErrors-rest', () => own.get('/api/health'));
    own.run.levers.kill.clear();
    own.run.levers.concurrency.functions.set('rest', 0);
    await untilRaised('Throttles', () => own.get('/api/health'));
  });

  test('ApiErrors and SocketErrors: APIs whose functions fail', async () => {
    own = await ownRun();
    own.run.levers.kill.set('rest', 1).set('ws-connect', 1);
    await untilRaised('ApiErrors', () => times(6, () => own.get('/api/health')));
    await untilRaised('SocketErrors', () => times(6, () => connect(own.url).catch(() => undefined)));
  });

  test('RefusedConnects: a deployment that is full', async () => {
    own = await runWith({ MAX_CONNECTIONS: '1' });
    const client = await connect(own.url);
    await untilRaised('RefusedConnects', () => times(100, () => connect(own.url).catch(() => undefined)));
    await client.close();
  });

  test('ThrottledTable: a partition that takes no more writes', async () => {
    own = await ownRun();
    const client = tablesClient(own.run);
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    const TableName = TableNames.find((name) => name.startsWith('StorageTopics')) ?? '';
    const put = () =>
      client.send(new PutItemCommand({ TableName, Item: { topic: { S: 'busy' }, item: { S: 'state' } } })).catch(() => undefined);
    await untilRaised('ThrottledTable-Topics', async () => {
      own.run.levers.tables.partitionWrites = 1;
      await times(3, put);
      own.run.levers.tables.partitionWrites = Number.POSITIVE_INFINITY;
    });
    client.destroy();
  });

  test('NotRunning: a sweep that is never called', async () => {
    own = await ownRun();
    own.run.levers.concurrency.functions.set('sweep', 0);
    await untilRaised('NotRunning', async () => undefined);
  });

  test('FeedDown: no tick in market hours', async () => {
    own = await ownRun();
    setClockTo(own.run, { weekday: 3, hour: 10, minute: 0 });
    await own.publish([listed({ ticker: freshTicker(), name: 'a share' }), tick(freshTicker(), 1)]);
    await untilRaised('FeedDown', async () => undefined);
  });
});

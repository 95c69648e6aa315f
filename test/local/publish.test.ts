/** `npm run publish`: your own events from a shell. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshId } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { connected, frame } from '../helpers/stomp.ts';
import { WAIT_MS } from '../helpers/within.ts';

const host = sharedHost();
const publish = (...words: string[]) =>
  promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'bin/publish.ts', ...words, '--url', host.url, '--key', inject('publishKey'), '--lane', 'direct'],
    { timeout: WAIT_MS },
  );

test('a rank, an activation and a reservation reach their buyer', async () => {
  const [userId, concertId, seatId] = [freshId(), freshId(), freshId()];
  const client = await connected(host.url);
  client.send(frame('SUBSCRIBE', { id: 'a', destination: `/topic/waiting-queue/${concertId}/${userId}`, receipt: 'a' }));
  await client.expect('RECEIPT');
  client.send(frame('SUBSCRIBE', { id: 'b', destination: `/topic/reservations/${seatId}/${userId}`, receipt: 'b' }));
  await client.expect('RECEIPT');

  await publish('rank', String(userId), String(concertId), '5');
  expect(JSON.parse((await client.expect('MESSAGE')).body)).toMatchObject({ event: 'RANK_UPDATE', data: { rank: 5 } });
  await publish('activate', String(userId), String(concertId), '60');
  expect(JSON.parse((await client.expect('MESSAGE')).body)).toMatchObject({ event: 'ACTIVE', data: { activeTtlSeconds: 60 } });
  await publish('reservation', String(userId), String(seatId), 'FAIL');
  expect(JSON.parse((await client.expect('MESSAGE')).body)).toMatchObject({ event: 'RESERVATION_STATUS', status: 'FAIL' });
  client.close();
});

test('a deployment reaches a dashboard, step by step', async () => {
  const dashboard = await connect(host.url);
  dashboard.send({ type: 'subscribe', data: { event_types: ['posco_event'] } });
  await dashboard.until(ofType('subscribed'));
  const id = `deploy_${freshId()}`;
  const words = ['deployment', id, 'build,test,deploy'];

  const told = [];
  for (const step of [['build'], ['test', 'completed'], ['deploy', 'failed', 'no room'], ['deploy', 'completed']]) {
    await publish(...words, ...step, '--branch', 'main', '--commit', 'abc123');
    told.push(await dashboard.until((message) => JSON.stringify(message).includes(id)));
  }
  await dashboard.close();

  const steps = (...statuses: string[]) => ['build', 'test', 'deploy'].map((name, index) => ({ name, status: statuses[index] }));
  const whole = { branch: 'main', commit_hash: 'abc123', deployment_id: id };
  expect(told.map(({ data }) => data)).toEqual([
    {
      ...whole,
      event_type: 'deployment_started',
      status: 'in_progress',
      progress: 0,
      message: 'build: in progress',
      steps: steps('in_progress', 'pending', 'pending'),
    },
    {
      ...whole,
      event_type: 'deployment_progress',
      status: 'in_progress',
      progress: 67,
      message: 'test: completed',
      steps: steps('completed', 'completed', 'pending'),
    },
    {
      ...whole,
      event_type: 'deployment_failed',
      status: 'failed',
      progress: 67,
      message: 'no room',
      steps: steps('completed', 'completed', 'in_progress'),
    },
    {
      ...whole,
      event_type: 'deployment_completed',
      status: 'completed',
      progress: 100,
      message: 'deploy: completed',
      steps: steps('completed', 'completed', 'completed'),
    },
  ]);
});

test.each([
  [['deployment', '42', 'build,test', 'deploy'], 'STEP: expected one of STEPS'],
  [['deployment', '42', 'build,test', 'test', 'halfway'], 'STATE: expected in_progress, completed, failed'],
  [['deployment', '42'], 'expected ID, STEPS, STEP'],
  [['rank', '100', '1'], 'USER, CONCERT, RANK'],
  [['rank', '100', '1', 'x'], 'RANK'],
  [['reservation', '100', '55', 'MAYBE'], 'SUCCESS or FAIL'],
  [['parking', '1'], 'there is no event'],
])('%j is refused with the expected words', async (words, expected) => {
  await expect(publish(...words)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(expected) as string });
});

test('an alert, a service event and a log line reach a dashboard', async () => {
  const dashboard = await connect(host.url);
  dashboard.send({ type: 'subscribe', data: { event_types: ['alert', 'service_event', 'log_update'] } });
  for (let topics = 0; topics < 3; topics++) await dashboard.until(ofType('subscribed'));
  const mark = `mark-${freshId()}`;

  await publish('alert', 'critical', mark);
  await publish('service', mark, 'restarted', 'by hand');
  await publish('log', 'error', mark);
  const received = [];
  for (let messages = 0; messages < 3; messages++)
    received.push(await dashboard.until((message) => JSON.stringify(message).includes(mark)));

  expect(received.map(({ type }) => type)).toEqual(['alert', 'service_event', 'log_update']);
  expect(received[0]?.['data']).toMatchObject({ level: 'critical', title: mark });
  expect(received[1]?.['data']).toMatchObject({ service_id: mark, event_type: 'restarted', message: 'by hand' });
  expect(received[2]?.['data']).toMatchObject({ entries: [{ level: 'ERROR', message: mark }] });
  await dashboard.close();
});

test('a missing or wrong word is refused by its name', async () => {
  await expect(publish('alert', 'critical')).rejects.toThrow('LEVEL, TITLE');
  await expect(publish('service', 'x', 'exploded')).rejects.toThrow('event_type');
});

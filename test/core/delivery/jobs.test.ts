import { beforeEach, expect, test } from 'vitest';
import { doJob, doJobs } from '../../../core/delivery/jobs.ts';
import { METRIC } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});

test('a ping is counted if it was sent; a throttled one is dropped, and a connection that is gone is deleted', async () => {
  for (const name of ['a', 'slow', 'gone', 'b']) await senderOf(ports, name);
  ports.gateway.outcome.set('slow', 'slow').set('gone', 'gone');

  await doJob({ kind: 'ping', connectionIds: ['a', 'slow', 'gone', 'b'] }, ports);

  expect(posted(ports, 'a')).toEqual([{ type: 'ping', data: {}, timestamp: new Date(ports.clock.now()).toISOString() }]);
  expect(posted(ports, 'b')).toHaveLength(1);
  expect(ports.report.counts.get(METRIC.messagesOut)).toBe(2);
  expect(await ports.connections.read('slow')).not.toBeNull();
  expect(await ports.connections.read('gone')).toBeNull();
});

test('a keepalive delivers the newest of its topics again', async () => {
  const topics = ['price:005930', 'price:000660'];
  const say = await senderOf(ports, 'a');
  for (const topic of topics) {
    await ports.topics.commitState(
      {
        kind: 'state',
        topic,
        part: 'price',
        order: '1',
        value: { price: 1, source: 'realtime', atMs: ports.clock.now(), timestamp: 't' },
        append: {},
        ahead: false,
      },
      '~',
    );
    await say({ type: 'subscribe', topic });
  }
  ports.gateway.posted.length = 0;

  await doJob({ kind: 'keepalive', topics }, ports);

  expect(posted(ports, 'a').map(({ type, ticker, position }) => [type, ticker, position])).toEqual([
    ['price_update', '005930', undefined],
    ['price_update', '000660', undefined],
  ]);
});

test('of several jobs only those that failed come back, each reported and counted', async () => {
  await senderOf(ports, 'a');
  const { post } = ports.gateway;
  ports.gateway.post = async (connectionId, ...others) => {
    if (connectionId === 'broken') throw new Error('no gateway');
    return post(connectionId, ...others);
  };
  const record = (id: string, job: object) => ({ id, body: JSON.stringify(job) });

  const failed = await doJobs(
    [
      record('r1', { kind: 'ping', connectionIds: ['broken'] }),
      record('r2', { kind: 'ping', connectionIds: ['a'] }),
      record('r3', { kind: 'close-refused', connectionId: 'a' }),
    ],
    ports,
  );

  expect(failed).toEqual(['r1']);
  expect(posted(ports, 'a')).toHaveLength(1);
  expect(ports.report.counts.get(METRIC.errors)).toBe(1);
  expect(ports.report.lines).toContain('a job failed and comes back: Error: no gateway');
});

test.each([
  ['no JSON', 'not JSON'],
  ['null', 'not a job: it has no kind'],
  ['{"kind":"drain","shard":0}', 'not a valid drain job: '],
  ['{"kind":"ping","connectionIds":["a",7]}', 'not a valid ping job: '],
  ['{"kind":"drain","topic":"price:005930","shard":-1}', 'not a valid drain job: '],
])('what can never be a job, such as %s, goes to the dead letters at once', async (body, reason) => {
  expect(await doJobs([{ id: 'r1', body }], ports)).toEqual([]);
  expect(ports.deadLetters.buried).toEqual([{ body, reason: expect.stringContaining(reason) as string }]);
});

test('a record comes back if the dead-letter queue does not take it', async () => {
  ports.deadLetters.bury = async () => Promise.reject(new Error('no queue'));
  expect(await doJobs([{ id: 'r1', body: 'no JSON' }], ports)).toEqual(['r1']);
});

test('a job of a newer deployment, which nobody here knows, comes back', async () => {
  expect(await doJobs([{ id: 'r1', body: '{"kind":"from-tomorrow"}' }], ports)).toEqual(['r1']);
});

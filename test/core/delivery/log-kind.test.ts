import { beforeEach, expect, test } from 'vitest';
import { drain } from '../../../core/delivery/drain.ts';
import { METRIC } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

const TOPIC = '/topic/reservations/55/100';
let ports: MemoryPorts;
beforeEach(async () => {
  ports = memoryPorts();
  await (await senderOf(ports, 'a'))({ type: 'subscribe', topic: TOPIC });
  ports.report.counts.clear();
});
const append = async (from: number, to: number): Promise<void> => {
  for (let offset = from; offset <= to; offset++)
    await ports.topics.putLog(TOPIC, offset, `e${offset}`, { userId: 100, seatId: 55, status: 'FAIL', timestamp: 't' });
};
const offsets = (): number[] =>
  posted(ports, 'a').flatMap(({ event, position }) => (event ? [Number(String(position).split('-')[1])] : []));
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test('a log with more pages than one round takes goes on in the same drain, and counts every post', async () => {
  await append(1, 250);
  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect(offsets()).toEqual(upTo(250));
  expect(ports.jobs.jobs).toEqual([]);
  expect(await ports.turns.read(TOPIC, 0)).toMatchObject({ cursor: 250, holder: '' });
  expect(ports.report.counts.get(METRIC.messagesOut)).toBe(250);
});

test('a log with more pages than six rounds take is handed on to a job', async () => {
  await append(1, 700);
  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect(offsets()).toEqual(upTo(600));
  expect(ports.jobs.jobs).toEqual([{ job: { kind: 'drain', topic: TOPIC, shard: 0, handOns: 1 }, delaySeconds: 0 }]);
  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect(offsets()).toEqual(upTo(700));
});

test('each round saves how far it came: a worker that dies repeats one page', async () => {
  await append(1, 250);
  const { post } = ports.gateway;
  ports.gateway.post = async (connectionId, text, before) => {
    if (offsets().length === 150) throw new Error('the worker dies');
    return post(connectionId, text, before);
  };
  await expect(drain({ topic: TOPIC, shard: 0 }, ports)).rejects.toThrow('the worker dies');

  expect(await ports.turns.read(TOPIC, 0)).toMatchObject({ cursor: 100 });
});

test('a message beyond a gap waits until the gap is filled', async () => {
  await append(1, 2);
  await append(4, 4);
  await drain({ topic: TOPIC, shard: 0 }, ports);
  expect(offsets()).toEqual(upTo(2));
  await append(3, 3);
  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect(offsets()).toEqual(upTo(4));
});

test('a page is read once for all subscriptions', async () => {
  for (const name of ['b', 'c', 'd']) await (await senderOf(ports, name))({ type: 'subscribe', topic: TOPIC });
  await append(1, 5);
  let reads = 0;
  const { readLog } = ports.topics;
  ports.topics.readLog = (...parameters) => {
    reads++;
    return readLog(...parameters);
  };

  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect(reads).toBe(1);
  expect(ports.gateway.posted.filter(({ frame }) => frame.includes('RESERVATION_STATUS'))).toHaveLength(20);
});

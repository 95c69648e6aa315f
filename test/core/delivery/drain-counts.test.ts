import { beforeEach, expect, test } from 'vitest';
import { drain } from '../../../core/delivery/drain.ts';
import { METRIC } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts, senderOf } from '../../helpers/ports.ts';

const TOPIC = '/topic/reservations/55/100';
let ports: MemoryPorts;
beforeEach(async () => {
  ports = memoryPorts();
  for (const name of ['a', 'b', 'c', 'd']) await (await senderOf(ports, name))({ type: 'subscribe', topic: TOPIC });
  ports.report.counts.clear();
  for (let offset = 1; offset <= 5; offset++)
    await ports.topics.putLog(TOPIC, offset, `e${offset}`, { userId: 100, seatId: 55, status: 'FAIL', timestamp: 't' });
});

test('a drain counts the posts to every subscription, also those that are delivered to at the same time', async () => {
  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect(ports.report.counts.get(METRIC.messagesOut)).toBe(20);
});

test('a drain notes that it delivered something, also if a subscription that gets nothing ends last', async () => {
  const late = { topic: TOPIC, shard: 0, connectionId: 'idle', subscriptionId: '', dialect: 'json' } as const;
  const idle = { ...late, from: 5, late: 'm', notBeforeMs: 0, strikes: 0, filter: null, registration: null };
  await ports.audience.put(idle, ports.clock.now(), ports.clock.now() + 7_200_000);
  const { caughtUp } = ports.audience;
  ports.audience.caughtUp = async (...parameters) => {
    // this table is slow
    for (let turns = 0; turns < 5; turns++) await new Promise((done) => setImmediate(done));
    await caughtUp(...parameters);
  };

  await drain({ topic: TOPIC, shard: 0 }, ports);

  expect((await ports.turns.read(TOPIC, 0))?.deliveredAtMs).toBe(ports.clock.now());
});

test('a topic that stays busy is handed on to a job, which counts, and a long row of hand-ons is a warning', async () => {
  await (await senderOf(ports, 'z'))({ type: 'subscribe', topic: TOPIC });
  await ports.topics.raiseHead(TOPIC, 5);
  const { read } = ports.turns;
  // an event comes in each round
  ports.turns.read = async (...parameters) => {
    await ports.turns.poke(TOPIC, 0, 'another', 0);
    return read(...parameters);
  };
  const { release } = ports.turns;
  ports.turns.release = async (topic, shard, me, done) => {
    if (done.pokes !== null) await ports.turns.poke(TOPIC, 0, 'another', 0);
    return release(topic, shard, me, done);
  };

  await drain({ topic: TOPIC, shard: 0, handOns: 98 }, ports);
  await drain({ topic: TOPIC, shard: 0, handOns: 99 }, ports);

  expect(ports.jobs.jobs).toEqual([
    { job: { kind: 'drain', topic: TOPIC, shard: 0, handOns: 99 }, delaySeconds: 0 },
    // nobody lacked anything by now
    { job: { kind: 'drain', topic: TOPIC, shard: 0, handOns: 100 }, delaySeconds: 1 },
  ]);
  expect(ports.report.counts.get(METRIC.handOns)).toBe(2);
  expect(ports.report.lines.filter((line) => line.includes('busy'))).toHaveLength(1);
});

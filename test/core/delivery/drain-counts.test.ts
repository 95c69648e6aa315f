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
  const late = { topic: TOPIC, shard: 0, connectionId: 'idle', subscriptionId: 'json', dialect: 'json' } as const;
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

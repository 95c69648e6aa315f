import { beforeEach, describe, expect, test } from 'vitest';
import { doJob } from '../../../core/delivery/jobs.ts';
import { sweep } from '../../../core/delivery/sweep.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { METRIC } from '../../../core/names.ts';
import { tick } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts, posted, speaker } from '../../helpers/ports.ts';

const MINUTE = 60_000;
let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});
const pass = () => sweep({ ...ports, idleTimeoutSeconds: 300, pingIntervalSeconds: 240 });
const publish = async (price: number): Promise<void> => {
  const at = new Date(ports.clock.now()).toISOString();
  const { source, detailType, detail } = tick('005930', price, { timestamp: at });
  const body = JSON.stringify({ id: `e${price}`, source, 'detail-type': detailType, time: at, detail });
  expect(
    await ingest([{ id: 'r', body }], { ...ports, deadEvents: { bury: async (_, reason) => Promise.reject(new Error(reason)) } }),
  ).toEqual([]);
};

describe('silence', () => {
  test('of 300 s closes a connection that neither spoke nor was told anything', async () => {
    await speaker(ports, 'a');

    ports.clock.nowMs += 300_000;
    await pass();
    expect(ports.gateway.closed).toEqual([]);
    ports.clock.nowMs += MINUTE;
    await pass();

    expect(ports.gateway.closed).toEqual(['a']);
    expect((await ports.connections.counted()).count).toBe(0);
  });

  test('does not close one that is being told things', async () => {
    const say = await speaker(ports, 'a');
    await say({ type: 'subscribe', topic: 'price:005930' });

    for (let minute = 1; minute <= 12; minute++) {
      ports.clock.nowMs += MINUTE;
      await publish(minute);
      await pass();
    }
    expect(ports.gateway.closed).toEqual([]);
    ports.clock.nowMs += 6 * MINUTE;
    await pass();

    expect(ports.gateway.closed).toEqual(['a']);
  });

  test('after it once answered a ping closes it, told things or not', async () => {
    const say = await speaker(ports, 'a');
    await say({ type: 'subscribe', topic: 'price:005930' });
    await say({ type: 'pong' });

    for (let minute = 1; minute <= 4; minute++) {
      ports.clock.nowMs += MINUTE;
      await publish(minute);
      await pass();
    }
    expect(ports.gateway.closed).toEqual([]);
    ports.clock.nowMs += 2 * MINUTE;
    await publish(99);
    await pass();

    expect(ports.gateway.closed).toEqual(['a']);
  });

  test('does not close one that answers its pings', async () => {
    const say = await speaker(ports, 'a');

    for (let minute = 1; minute <= 20; minute++) {
      ports.clock.nowMs += MINUTE;
      await pass();
      for (const { job } of ports.jobs.jobs.splice(0)) {
        await doJob(job, ports);
        if (job.kind === 'ping') await say({ type: 'pong' });
      }
    }

    expect(ports.gateway.closed).toEqual([]);
    expect(posted(ports, 'a').filter(({ type }) => type === 'ping').length).toBeGreaterThanOrEqual(4);
  });
});

test('a record that outlived its two hours is closed', async () => {
  const say = await speaker(ports, 'a');
  for (let minute = 0; minute < 121; minute++) {
    ports.clock.nowMs += MINUTE;
    await say({ type: 'pong' });
  }

  await pass();

  expect(ports.gateway.closed).toEqual(['a']);
});

test('a subscription left late by a dead handler is drained a minute later', async () => {
  await speaker(ports, 'a');
  const key = { topic: 'price:005930', shard: 0, connectionId: 'a', subscriptionId: 'json' };
  await ports.ownSubscriptions.add(key, ports.clock.now(), ports.clock.now() + 7_200_000);
  await ports.audience.put(
    { ...key, dialect: 'json', from: 0, late: true, notBeforeMs: 0, strikes: 0, filter: null, registration: null },
    ports.clock.now(),
    ports.clock.now() + 7_200_000,
  );

  await pass();
  expect(ports.jobs.jobs).toEqual([]);
  ports.clock.nowMs += MINUTE;
  await pass();

  expect(ports.jobs.jobs.map(({ job }) => job)).toContainEqual({ kind: 'drain', topic: 'price:005930', shard: 0 });
});

describe('a topic that nobody listens to any more', () => {
  test('is heard no longer, so that its events cost one write', async () => {
    const say = await speaker(ports, 'a');
    await say({ type: 'subscribe', topic: 'price:005930' });
    await say({ type: 'unsubscribe', topic: 'price:005930' });

    ports.clock.nowMs += 3 * MINUTE;
    await pass();

    expect((await ports.topics.read(['price:005930'])).get('price:005930')?.heard).toBe(false);
    expect(await ports.catalogue.heard()).toEqual([]);
  });

  test('stays heard where somebody subscribed while the sweep looked', async () => {
    const say = await speaker(ports, 'a');
    await say({ type: 'subscribe', topic: 'price:005930' });
    await say({ type: 'unsubscribe', topic: 'price:005930' });
    ports.clock.nowMs += 3 * MINUTE;
    const { unhear } = ports.topics;
    // between the scan and the flag
    ports.topics.unhear = async (topic, stamp) => {
      await say({ type: 'subscribe', topic });
      await unhear(topic, stamp);
    };

    await pass();

    expect((await ports.topics.read(['price:005930'])).get('price:005930')?.heard).toBe(true);
    expect(ports.jobs.jobs.map(({ job }) => job)).toContainEqual({ kind: 'drain', topic: 'price:005930', shard: 0 });
  });
});

test('counts the open connections and puts the counter right', async () => {
  await speaker(ports, 'a');
  await speaker(ports, 'b');
  await ports.connections.setCount(17);

  await pass();

  expect((await ports.connections.counted()).count).toBe(2);
  expect(ports.report.counts.get(METRIC.liveConnections)).toBe(2);
});

import { beforeEach, describe, expect, test } from 'vitest';
import { doJob } from '../../../core/delivery/jobs.ts';
import { sweep } from '../../../core/delivery/sweep.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { METRIC } from '../../../core/names.ts';
import { SENT_AT_MS, tick } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

const MINUTE = 60_000;
let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});
const runSweep = () => sweep({ ...ports, idleTimeoutSeconds: 300, pingIntervalSeconds: 240 });
const publish = async (price: number): Promise<void> => {
  const at = new Date(ports.clock.now()).toISOString();
  const { source, detailType, detail } = tick('005930', price, { timestamp: at });
  const body = JSON.stringify({ id: `e${price}`, source, 'detail-type': detailType, time: at, detail });
  expect(
    await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
      ...ports,
      deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
    }),
  ).toEqual([]);
};

describe('silence', () => {
  test('of 300 s closes a connection that neither sent nor was delivered anything', async () => {
    await senderOf(ports, 'a');

    ports.clock.nowMs += 300_000;
    await runSweep();
    expect(ports.gateway.closed).toEqual([]);
    ports.clock.nowMs += MINUTE;
    await runSweep();

    expect(ports.gateway.closed).toEqual(['a']);
    expect((await ports.connections.counted()).count).toBe(0);
  });

  test('does not close a connection that is delivered messages', async () => {
    const send = await senderOf(ports, 'a');
    await send({ type: 'subscribe', topic: 'price:005930' });

    for (let minute = 1; minute <= 12; minute++) {
      ports.clock.nowMs += MINUTE;
      await publish(minute);
      await runSweep();
    }
    expect(ports.gateway.closed).toEqual([]);
    ports.clock.nowMs += 6 * MINUTE;
    await runSweep();

    expect(ports.gateway.closed).toEqual(['a']);
  });

  test('closes a connection that once answered a ping, even if it is delivered messages', async () => {
    const send = await senderOf(ports, 'a');
    await send({ type: 'subscribe', topic: 'price:005930' });
    await send({ type: 'pong' });

    for (let minute = 1; minute <= 4; minute++) {
      ports.clock.nowMs += MINUTE;
      await publish(minute);
      await runSweep();
    }
    expect(ports.gateway.closed).toEqual([]);
    ports.clock.nowMs += 2 * MINUTE;
    await publish(99);
    await runSweep();

    expect(ports.gateway.closed).toEqual(['a']);
  });

  test('does not close a connection that answers its pings', async () => {
    const send = await senderOf(ports, 'a');

    for (let minute = 1; minute <= 20; minute++) {
      ports.clock.nowMs += MINUTE;
      await runSweep();
      for (const { job } of ports.jobs.jobs.splice(0)) {
        await doJob(job, ports);
        if (job.kind === 'ping') await send({ type: 'pong' });
      }
    }

    expect(ports.gateway.closed).toEqual([]);
    expect(posted(ports, 'a').filter(({ type }) => type === 'ping').length).toBeGreaterThanOrEqual(4);
  });
});

test('a connection older than two hours is closed', async () => {
  const send = await senderOf(ports, 'a');
  for (let minute = 0; minute < 121; minute++) {
    ports.clock.nowMs += MINUTE;
    await send({ type: 'pong' });
  }

  await runSweep();

  expect(ports.gateway.closed).toEqual(['a']);
});

test('a subscription that a dead handler left late is drained a minute later', async () => {
  await senderOf(ports, 'a');
  const key = { topic: 'price:005930', shard: 0, connectionId: 'a', subscriptionId: '' };
  await ports.ownSubscriptions.add(key, ports.clock.now(), ports.clock.now() + 7_200_000);
  await ports.audience.put(
    { ...key, dialect: 'json', from: 0, late: 'm', notBeforeMs: 0, strikes: 0, filter: null, registration: null },
    ports.clock.now(),
    ports.clock.now() + 7_200_000,
  );

  await runSweep();
  expect(ports.jobs.jobs).toEqual([]);
  ports.clock.nowMs += MINUTE;
  await runSweep();

  expect(ports.jobs.jobs.map(({ job }) => job)).toContainEqual({ kind: 'drain', topic: 'price:005930', shard: 0 });
});

describe('a topic whose last subscriber has left', () => {
  test('and that never had a message is forgotten: topics that are only subscribed to leave nothing', async () => {
    const send = await senderOf(ports, 'a');
    await send({ type: 'subscribe', topic: 'price:005930' });
    await send({ type: 'unsubscribe', topic: 'price:005930' });

    ports.clock.nowMs += 3 * MINUTE;
    await runSweep();

    expect(await ports.topics.read(['price:005930'])).toEqual(new Map());
    expect(await ports.catalogue.heard()).toEqual([]);
  });

  test('is no longer heard, so that its events cost one write', async () => {
    const send = await senderOf(ports, 'a');
    await ports.topics.raiseHead('price:005930', 1);
    await send({ type: 'subscribe', topic: 'price:005930' });
    await send({ type: 'unsubscribe', topic: 'price:005930' });

    ports.clock.nowMs += 3 * MINUTE;
    await runSweep();

    expect((await ports.topics.read(['price:005930'])).get('price:005930')?.heard).toBe(false);
    expect(await ports.catalogue.heard()).toEqual([]);
  });

  test('stays heard if a client subscribed during the sweep', async () => {
    const send = await senderOf(ports, 'a');
    await send({ type: 'subscribe', topic: 'price:005930' });
    await send({ type: 'unsubscribe', topic: 'price:005930' });
    ports.clock.nowMs += 3 * MINUTE;
    const { unhear } = ports.topics;
    // between the scan and the flag
    ports.topics.unhear = async (topic, stamp) => {
      await send({ type: 'subscribe', topic });
      await unhear(topic, stamp);
    };

    await runSweep();

    expect((await ports.topics.read(['price:005930'])).get('price:005930')?.heard).toBe(true);
    expect(ports.jobs.jobs.map(({ job }) => job)).toContainEqual({ kind: 'drain', topic: 'price:005930', shard: 0 });
  });
});

test('a sweep counts the open connections and corrects the counter', async () => {
  await senderOf(ports, 'a');
  await senderOf(ports, 'b');
  await (await ports.connections.recount())(17);

  await runSweep();

  expect((await ports.connections.counted()).count).toBe(2);
  expect(ports.report.counts.get(METRIC.liveConnections)).toBe(2);
});

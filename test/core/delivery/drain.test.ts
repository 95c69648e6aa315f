import { beforeEach, describe, expect, test } from 'vitest';
import { drain } from '../../../core/delivery/drain.ts';
import { TurnLostError } from '../../../core/errors.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { METRIC } from '../../../core/names.ts';
import { alert, SENT_AT_MS, tick } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

const TOPIC = 'price:005930';
let ports: MemoryPorts;
let buried: string[];
beforeEach(() => {
  ports = memoryPorts();
  buried = [];
});

const bodyOf = (price: number, over: Record<string, unknown> = {}): string => {
  const { source, detailType, detail } = tick('005930', price, { timestamp: new Date(ports.clock.now() + price).toISOString(), ...over });
  return JSON.stringify({ id: `e${price}`, source, 'detail-type': detailType, time: new Date(ports.clock.now()).toISOString(), detail });
};
const serve = (...bodies: string[]) =>
  ingest(
    bodies.map((body, index) => ({ id: `r${index}`, body, sentAtMs: SENT_AT_MS })),
    { ...ports, deadLetters: { bury: async (_, reason) => void buried.push(reason) } },
  );
const prices = (connectionId: string) =>
  posted(ports, connectionId)
    .filter(({ type }) => type === 'price_update')
    .map(({ data }) => (data as { price: number }).price);
const subscribe = async (connectionId: string) => {
  const send = await senderOf(ports, connectionId);
  await send({ type: 'subscribe', topic: TOPIC });
};

test('an event that is too large goes to the dead letters, even if it came straight from the bus', async () => {
  const { source, detailType, detail } = alert({ message: 'x'.repeat(1_000) });
  const body = JSON.stringify({ id: 'e', source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail });
  const bury = async (_: string, reason: string) => void buried.push(reason);

  expect(await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], { ...ports, maxMessageBytes: 1_000, deadLetters: { bury } })).toEqual([]);

  expect(buried).toEqual([expect.stringMatching(/^detail: \d+ bytes, allowed are 1000$/)]);
  expect(ports.report.counts.get('InvalidEvents')).toBe(1);
});

test('an invalid event among good ones goes to the dead letters with its reason; the good ones are delivered', async () => {
  await subscribe('a');

  expect(await serve(bodyOf(1), 'not json', bodyOf(2, { price: 'two' }), bodyOf(3))).toEqual([]);

  expect(prices('a').at(-1)).toBe(3);
  expect(buried).toEqual([expect.stringContaining('JSON'), expect.stringContaining('detail.price')]);
  expect(ports.report.counts.get(METRIC.invalidEvents)).toBe(2);
});

test('only the newest of the events within a fifth of a second is delivered, when the window ends', async () => {
  await subscribe('a');
  await serve(bodyOf(1));
  const before = ports.clock.now();

  await serve(bodyOf(2), bodyOf(3), bodyOf(4));

  expect(prices('a')).toEqual([1, 4]);
  expect(ports.clock.now() - before).toBe(200);
});

test('an event on a topic without subscribers is committed and not drained', async () => {
  await serve(bodyOf(1));

  expect(await ports.turns.read(TOPIC, 0)).toBeNull();
});

test('a connection that is gone is removed with all its subscriptions', async () => {
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topics: [TOPIC, 'price:000660'] });
  ports.gateway.outcome.set('a', 'gone');

  await serve(bodyOf(1));

  expect(await ports.ownSubscriptions.list('a')).toEqual([]);
  expect(
    await ports.audience.find([TOPIC, 'price:000660'].map((topic) => ({ topic, shard: 0, connectionId: 'a', subscriptionId: '' }))),
  ).toEqual([null, null]);
});

describe('a throttled consumer', () => {
  test('is passed over for growing pauses, and gets only the newest when it recovers', async () => {
    await subscribe('slow');
    await subscribe('fine');
    ports.gateway.outcome.set('slow', 'slow');

    await serve(bodyOf(1));
    const [first] = ports.jobs.jobs.splice(0);
    await serve(bodyOf(2));
    ports.clock.nowMs += 2_000;
    await drain({ topic: TOPIC, shard: 0 }, ports);
    const [second] = ports.jobs.jobs.splice(0);
    ports.gateway.outcome.delete('slow');
    ports.clock.nowMs += 10_000;
    await drain({ topic: TOPIC, shard: 0 }, ports);

    expect(first).toEqual({ job: { kind: 'drain', topic: TOPIC, shard: 0 }, delaySeconds: 2 });
    expect(second?.delaySeconds).toBe(3);
    expect(prices('slow')).toEqual([2]);
    expect(prices('fine')).toEqual([1, 2]);
    expect((await ports.audience.find([{ topic: TOPIC, shard: 0, connectionId: 'slow', subscriptionId: '' }]))[0]).toMatchObject({
      late: null,
      strikes: 0,
    });
  });
});

describe('the turn', () => {
  test('held by another worker is left alone and poked, so that its holder drains again', async () => {
    await subscribe('a');
    await ports.turns.poke(TOPIC, 0, 'another', ports.clock.now() + 10_000);

    await serve(bodyOf(1));

    expect(prices('a')).toEqual([]);
    expect(await ports.turns.read(TOPIC, 0)).toMatchObject({ holder: 'another', pokes: 2 });
  });

  test('of a dead worker is taken over once expired, and the newest is delivered again when that worker must have ended', async () => {
    await subscribe('a');
    await ports.turns.poke(TOPIC, 0, 'dead', ports.clock.now() + 10_000);
    ports.clock.nowMs += 10_001;

    await serve(bodyOf(1));

    expect(prices('a')).toEqual([1]);
    expect(ports.jobs.jobs).toEqual([{ job: { kind: 'drain', topic: TOPIC, shard: 0, repeat: true }, delaySeconds: 21 }]);
  });

  test('lost during a delivery fails the record, and its recipients get the newest again', async () => {
    await subscribe('a');
    const { post } = ports.gateway;
    ports.gateway.post = async (...parameters) => {
      const turn = await ports.turns.read(TOPIC, 0);
      if (turn) await ports.turns.takeOver(TOPIC, 0, turn, 'thief', ports.clock.now() + 60_000);
      return post(...parameters);
    };
    await ports.turns.poke(TOPIC, 0, 'x', 0);

    await expect(drain({ topic: TOPIC, shard: 0 }, ports)).resolves.toBeUndefined();
    expect(await serve(bodyOf(1))).toEqual(['r0']);

    expect((await ports.audience.find([{ topic: TOPIC, shard: 0, connectionId: 'a', subscriptionId: '' }]))[0]).toMatchObject({
      late: expect.any(String),
      from: -1,
    });
    expect(new TurnLostError(TOPIC).message).toContain(TOPIC);
  });

  test('is extended during delivery to a large audience', async () => {
    for (let index = 0; index < 40; index++) await subscribe(`c${index}`);
    const { post } = ports.gateway;
    ports.gateway.post = async (...parameters) => {
      ports.clock.nowMs += 400;
      return post(...parameters);
    };

    expect(await serve(bodyOf(1))).toEqual([]);

    for (let index = 0; index < 40; index++) expect(prices(`c${index}`)).toEqual([1]);
  });
});

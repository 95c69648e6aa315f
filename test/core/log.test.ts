/** Log topics: every message counts, also for those who are slow. */
import { beforeEach, expect, test } from 'vitest';
import type { Channel } from '../../core/channels/channel.ts';
import { channelsOf } from '../../core/channels/registry.ts';
import { drain } from '../../core/drain.ts';
import { ingest } from '../../core/ingest.ts';
import { settled } from '../helpers/events.ts';
import { memoryTopics } from '../helpers/memory.ts';
import { type MemoryPorts, memoryPorts, speaker, told } from '../helpers/ports.ts';

const TOPIC = '/topic/reservations/55/100';
let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});

let serial = 0;
const publish = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index++) {
    const at = new Date(ports.clock.now()).toISOString();
    const { source, detailType, detail } = settled(55, 100, 'SUCCESS', { timestamp: at });
    const body = JSON.stringify({ id: `e${serial++}`, source, 'detail-type': detailType, time: at, detail });
    expect(
      await ingest([{ id: 'r', body }], { ...ports, deadEvents: { bury: async (_, reason) => Promise.reject(new Error(reason)) } }),
    ).toEqual([]);
  }
};
const offsets = (connectionId: string): number[] =>
  told(ports, connectionId).flatMap(({ event, position }) => (event ? [Number(String(position).split(':')[1])] : []));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
/** Comes back for a slow consumer, as the delayed jobs do. */
const comeBack = async (): Promise<void> => {
  ports.clock.nowMs += 120_000;
  await drain({ topic: TOPIC, shard: 0 }, ports);
};

test('a consumer that is throttled in the middle goes on, in order, from where it was', async () => {
  const say = await speaker(ports, 'a');
  await say({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.set('a', 'slow');
  await publish(5);
  // it takes two at a time from now on
  let taken = 0;
  ports.gateway.post = async (connectionId, frame, before) => {
    await before?.();
    if (frame.includes('RESERVATION_STATUS') && taken++ % 3 === 2) return 'slow';
    ports.gateway.posted.push({ connectionId, frame });
    return 'sent';
  };

  for (let rounds = 0; rounds < 4; rounds++) await comeBack();

  expect(offsets('a')).toEqual(range(1, 5));
});

test('a consumer that a log has left too far behind is told so, as far as it hears, and closed', async () => {
  const say = await speaker(ports, 'a');
  await say({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.set('a', 'slow');
  await publish(1_000);
  await comeBack();
  expect(ports.gateway.closed).toEqual([]);
  await publish(1);
  for (let rounds = 0; rounds < 12; rounds++) await comeBack();

  expect(ports.gateway.closed).toEqual(['a']);
  expect(await ports.connections.read('a')).toBeNull();
});

test('messages of which a channel has nothing to tell are passed by, however many there are', async () => {
  const reservations = ports.channels.of(TOPIC) as Channel;
  let telling = false;
  ports.channels = channelsOf([{ ...reservations, payload: (one) => (telling ? reservations.payload(one) : null) }]);
  const say = await speaker(ports, 'a');
  await say({ type: 'subscribe', topic: TOPIC, since: 'other:0' });
  await publish(250);
  telling = true;
  await publish(1);

  expect(offsets('a')).toEqual([251]);
});

test('who comes back after everything was trimmed is told that not all was recovered', async () => {
  const say = await speaker(ports, 'a');
  await publish(3);
  ports.clock.nowMs += 2 * 86_400_000;
  const epoch = (await ports.topics.read([TOPIC])).get(TOPIC)?.epoch;

  await say({ type: 'subscribe', topic: TOPIC, since: `${epoch}:1` });
  expect(told(ports, 'a').at(-1)).toMatchObject({ type: 'subscribed', recovered: false, position: `${epoch}:3` });
  await say({ type: 'subscribe', topic: TOPIC, since: `${epoch}:3` });

  expect(told(ports, 'a').at(-1)).toMatchObject({ type: 'subscribed', recovered: true });
});

test('a registration is used up only when its replay was delivered', async () => {
  const state = await ports.topics.create(TOPIC);
  await ports.registrations.register(TOPIC, { epoch: state.epoch, offset: 0 }, ports.clock.now() + 86_400_000);
  await publish(2);
  const slow = await speaker(ports, 'slow');
  const post = ports.gateway.post;
  ports.gateway.post = async (connectionId, frame, before) =>
    frame.includes('RESERVATION_STATUS') && connectionId === 'slow' ? 'slow' : post(connectionId, frame, before);
  await slow({ type: 'subscribe', topic: TOPIC });
  expect(await ports.registrations.find(TOPIC)).not.toBeNull();

  const say = await speaker(ports, 'a');
  await say({ type: 'subscribe', topic: TOPIC });
  expect(offsets('a')).toEqual([1, 2]);
  expect(await ports.registrations.find(TOPIC)).toBeNull();
  const late = await speaker(ports, 'b');
  await late({ type: 'subscribe', topic: TOPIC });

  expect(offsets('b')).toEqual([]);
});

test('a registration whose replay a drain ends is used up by the drain', async () => {
  const state = await ports.topics.create(TOPIC);
  await ports.registrations.register(TOPIC, { epoch: state.epoch, offset: 0 }, ports.clock.now() + 86_400_000);
  await publish(2);
  const say = await speaker(ports, 'a');
  const post = ports.gateway.post;
  ports.gateway.post = async (connectionId, frame, before) =>
    frame.includes('RESERVATION_STATUS') ? 'slow' : post(connectionId, frame, before);
  await say({ type: 'subscribe', topic: TOPIC });
  expect(await ports.registrations.find(TOPIC)).not.toBeNull();
  ports.gateway.post = post;

  await comeBack();

  expect(offsets('a')).toEqual([1, 2]);
  expect(await ports.registrations.find(TOPIC)).toBeNull();
});

test('a registration with nothing to replay stays a start until its user was told something', async () => {
  const state = await ports.topics.create(TOPIC);
  await ports.registrations.register(TOPIC, { epoch: state.epoch, offset: 0 }, ports.clock.now() + 86_400_000);
  const early = await speaker(ports, 'early');
  await early({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.set('early', 'gone');
  await publish(1);

  const again = await speaker(ports, 'again');
  await again({ type: 'subscribe', topic: TOPIC });
  expect(offsets('again')).toEqual([1]);
  await publish(1);
  expect(offsets('again')).toEqual([1, 2]);

  expect(await ports.registrations.find(TOPIC)).toBeNull();
});

test('a topic that was forgotten and made anew is told from its beginning, whatever was told of its former life', async () => {
  const say = await speaker(ports, 'a');
  await say({ type: 'subscribe', topic: TOPIC });
  await publish(3);
  // what has not been asked for in days is gone, its cursor perhaps not yet
  ports.topics = memoryTopics(ports.clock);
  await ports.topics.create('one that takes the epoch the other had');
  const again = await speaker(ports, 'b');
  await again({ type: 'subscribe', topic: TOPIC });
  await publish(2);

  expect(offsets('b')).toEqual([1, 2]);
});

test('a topic that may soon be forgotten is asked for again by whoever subscribes', async () => {
  const say = await speaker(ports, 'a');
  await say({ type: 'subscribe', topic: TOPIC });
  const { hear, read } = ports.topics;
  const heard: string[] = [];
  ports.topics.hear = async (topic) => {
    heard.push(topic);
    return hear(topic);
  };
  const leftMs = (ms: number) => {
    ports.topics.read = async (topics) =>
      new Map([...(await read(topics))].map(([topic, state]) => [topic, { ...state, expiresAtMs: ports.clock.now() + ms }]));
  };

  leftMs(30 * 3_600_000);
  await say({ type: 'subscribe', topic: TOPIC });
  expect(heard).toEqual([]);
  leftMs(20 * 3_600_000);
  await say({ type: 'subscribe', topic: TOPIC });

  expect(heard).toEqual([TOPIC]);
});

/** Log topics: no message may be missed, even by a slow consumer. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Channel } from '../../../core/channels/channel.ts';
import { channelsOf } from '../../../core/channels/channels.ts';
import { drain } from '../../../core/delivery/drain.ts';
import { doJob } from '../../../core/delivery/jobs.ts';
import { sweep } from '../../../core/delivery/sweep.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { alert, SENT_AT_MS, settled } from '../../helpers/events.ts';
import { memoryTopics } from '../../helpers/memory/topics.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf, settings } from '../../helpers/ports.ts';

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
      await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
        ...ports,
        deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
      }),
    ).toEqual([]);
  }
};
const offsets = (connectionId: string): number[] =>
  posted(ports, connectionId).flatMap(({ event, position }) => (event ? [Number(String(position).split('-')[1])] : []));
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
let stamps = 0;
const registerAt = (epoch: string): Promise<void> =>
  ports.registrations.register(TOPIC, { position: { epoch, offset: 0 }, stamp: `stamp${stamps++}` }, ports.clock.now() + 86_400_000);
/** Drains again after two minutes, as the delayed jobs of a slow consumer do. */
const drainLater = async (): Promise<void> => {
  ports.clock.nowMs += 120_000;
  await drain({ topic: TOPIC, shard: 0 }, ports);
};

test('a consumer that is throttled in the middle continues in order from where it was', async () => {
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.set('a', 'slow');
  await publish(5);
  // from now on every third post is throttled
  let taken = 0;
  ports.gateway.post = async (connectionId, frame, before) => {
    await before?.();
    if (frame.includes('RESERVATION_STATUS') && taken++ % 3 === 2) return 'slow';
    ports.gateway.posted.push({ connectionId, frame });
    return 'sent';
  };

  for (let rounds = 0; rounds < 4; rounds++) await drainLater();

  expect(offsets('a')).toEqual(range(1, 5));
});

test('a consumer that falls too far behind a log is closed, with a reason', async () => {
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.set('a', 'slow');
  await publish(1_000);
  await drainLater();
  expect(ports.gateway.closed).toEqual([]);
  await publish(1);
  for (let rounds = 0; rounds < 12; rounds++) await drainLater();

  expect(ports.gateway.closed).toEqual(['a']);
  expect(await ports.connections.read('a')).toBeNull();
  // the reason was posted too, with the usual retries
  expect(ports.report.lines.some((line) => line.includes('too far behind'))).toBe(true);
});

test('messages without payload are skipped, however many there are', async () => {
  const reservations = ports.channels.of(TOPIC) as Channel;
  let hasPayload = false;
  ports.channels = channelsOf([{ ...reservations, payload: (one) => (hasPayload ? reservations.payload(one) : null) }], settings);
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC, since: 'other-0' });
  await publish(250);
  hasPayload = true;
  await publish(1);

  expect(offsets('a')).toEqual([251]);
});

test('a client that returns after everything was trimmed gets recovered: false', async () => {
  const send = await senderOf(ports, 'a');
  await publish(3);
  ports.clock.nowMs += 2 * 86_400_000;
  const epoch = (await ports.topics.read([TOPIC])).get(TOPIC)?.epoch;

  await send({ type: 'subscribe', topic: TOPIC, since: `${epoch}-1` });
  expect(posted(ports, 'a').at(-1)).toMatchObject({ type: 'subscribed', recovered: false, position: `${epoch}-3` });
  await send({ type: 'subscribe', topic: TOPIC, since: `${epoch}-3` });

  expect(posted(ports, 'a').at(-1)).toMatchObject({ type: 'subscribed', recovered: true });
});

test('a subscription that is throttled before its handler has ended stays late', async () => {
  const { caughtUp } = ports.audience;
  ports.audience.caughtUp = async (...parameters) => {
    ports.audience.caughtUp = caughtUp;
    // the handler has seen that nothing came, but has not said so yet
    ports.gateway.outcome.set('a', 'slow');
    await publish(1);
    await caughtUp(...parameters);
  };
  await (await senderOf(ports, 'a'))({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.delete('a');
  await publish(1);

  await drainLater();

  expect(offsets('a')).toEqual([1, 2]);
});

test('a registration is used up only once its replay was delivered', async () => {
  const state = await ports.topics.create(TOPIC);
  await registerAt(state.epoch);
  await publish(2);
  const slow = await senderOf(ports, 'slow');
  const post = ports.gateway.post;
  ports.gateway.post = async (connectionId, frame, before) =>
    frame.includes('RESERVATION_STATUS') && connectionId === 'slow' ? 'slow' : post(connectionId, frame, before);
  await slow({ type: 'subscribe', topic: TOPIC });
  expect(await ports.registrations.find(TOPIC)).not.toBeNull();

  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });
  expect(offsets('a')).toEqual([1, 2]);
  expect(await ports.registrations.find(TOPIC)).toBeNull();
  const late = await senderOf(ports, 'b');
  await late({ type: 'subscribe', topic: TOPIC });

  expect(offsets('b')).toEqual([]);
});

test('a drain that completes the replay of a registration uses it up', async () => {
  const state = await ports.topics.create(TOPIC);
  await registerAt(state.epoch);
  await publish(2);
  const send = await senderOf(ports, 'a');
  const post = ports.gateway.post;
  ports.gateway.post = async (connectionId, frame, before) =>
    frame.includes('RESERVATION_STATUS') ? 'slow' : post(connectionId, frame, before);
  await send({ type: 'subscribe', topic: TOPIC });
  expect(await ports.registrations.find(TOPIC)).not.toBeNull();
  ports.gateway.post = post;

  await drainLater();

  expect(offsets('a')).toEqual([1, 2]);
  expect(await ports.registrations.find(TOPIC)).toBeNull();
});

test('a registration with nothing to replay stays in force until a message is delivered to its user', async () => {
  const state = await ports.topics.create(TOPIC);
  await registerAt(state.epoch);
  const early = await senderOf(ports, 'early');
  await early({ type: 'subscribe', topic: TOPIC });
  ports.gateway.outcome.set('early', 'gone');
  await publish(1);

  const again = await senderOf(ports, 'again');
  await again({ type: 'subscribe', topic: TOPIC });
  expect(offsets('again')).toEqual([1]);
  await publish(1);
  expect(offsets('again')).toEqual([1, 2]);

  expect(await ports.registrations.find(TOPIC)).toBeNull();
});

test('a topic that expired and was created again is delivered from its beginning, despite the old cursor', async () => {
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });
  await publish(3);
  // the topic has expired, but its cursor has not
  ports.topics = memoryTopics(ports.clock);
  await ports.topics.create('a topic that takes the old epoch');
  const again = await senderOf(ports, 'b');
  await again({ type: 'subscribe', topic: TOPIC });
  await publish(2);

  expect(offsets('b')).toEqual([1, 2]);
});

test('a subscribe renews a topic that expires soon', async () => {
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });
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
  await send({ type: 'subscribe', topic: TOPIC });
  expect(heard).toEqual([]);
  leftMs(20 * 3_600_000);
  await send({ type: 'subscribe', topic: TOPIC });

  expect(heard).toEqual([TOPIC]);
});

test('a renewed registration is not used up by a subscription that started from the earlier one', async () => {
  const state = await ports.topics.create(TOPIC);
  await registerAt(state.epoch);
  const vanished = await senderOf(ports, 'vanished');
  await vanished({ type: 'subscribe', topic: TOPIC });
  await registerAt(state.epoch);
  // the gateway does not know yet that the client has vanished
  await publish(1);

  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });

  expect(offsets('a')).toEqual([1]);
});

test('a long replay is left to the drain, which saves its progress', async () => {
  const send = await senderOf(ports, 'a');
  await publish(700);
  const post = ports.gateway.post;
  let posts = 0;
  // each post takes 20 ms: the whole replay would take 14 s
  ports.gateway.post = async (connectionId, text, before) => {
    posts++;
    ports.clock.nowMs += 20;
    return post(connectionId, text, before);
  };
  await send({ type: 'subscribe', topic: TOPIC, since: 'other-0' });
  expect(posts).toBeLessThan(400);
  expect(ports.jobs.jobs.map(({ job }) => job)).toContainEqual({ kind: 'drain', topic: TOPIC, shard: 0 });

  for (let jobs = 0; jobs < 5; jobs++) {
    posts = 0;
    await drain({ topic: TOPIC, shard: 0 }, ports);
    expect(posts).toBeLessThan(500);
  }

  expect(offsets('a')).toEqual(range(1, 700));
});

test('a KEEPALIVE does not count as activity: a client that vanished from the waiting queue is closed', async () => {
  const topic = '/topic/waiting-queue/1/100';
  const at = new Date(ports.clock.now()).toISOString();
  const detail = { userId: 100, concertId: 1, rank: 3, timestamp: at };
  const body = JSON.stringify({ id: 'rank', source: 'ticket.waiting-queue', 'detail-type': 'RankUpdated', time: at, detail });
  const send = await senderOf(ports, 'vanished');
  await send({ type: 'subscribe', topic });
  await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
    ...ports,
    deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
  });

  for (let minute = 0; minute < 7; minute++) {
    ports.clock.nowMs += 60_000;
    await sweep({ ...ports, idleTimeoutSeconds: 300, pingIntervalSeconds: 240 });
    for (const { job } of ports.jobs.jobs.splice(0)) await doJob(job, ports);
  }

  expect(posted(ports, 'vanished').some(({ event }) => event === 'KEEPALIVE')).toBe(true);
  expect(ports.gateway.closed).toEqual(['vanished']);
});

describe('history', () => {
  const ALERTS = 'ops:alert';
  const raise = async (count: number, everyMs = 0): Promise<void> => {
    for (let index = 0; index < count; index++) {
      ports.clock.nowMs += everyMs;
      const { source, detailType, detail } = alert();
      const body = JSON.stringify({
        id: `e${serial++}`,
        source,
        'detail-type': detailType,
        time: new Date(ports.clock.now()).toISOString(),
        detail,
      });
      await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
        ...ports,
        deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
      });
    }
  };
  const limited = (history: { messages: number; ms: number; most: number }) => {
    const all = ports.channels.all.map((channel) => (channel.name === 'alert' ? { ...channel, history } : channel));
    ports.channels = channelsOf(all, settings);
  };
  const epochOf = async () => (await ports.topics.read([ALERTS])).get(ALERTS)?.epoch;
  /** Subscribes from an offset. Returns the first offset that is delivered, how many are, and `recovered`. */
  const resubscribe = async (offset = 1): Promise<{ first: number | undefined; count: number; recovered: unknown }> => {
    const send = await senderOf(ports, `c${serial++}`);
    const name = `c${serial - 1}`;
    await send({ type: 'subscribe', topic: ALERTS, since: `${await epochOf()}-${offset}` });
    await drain({ topic: ALERTS, shard: 0 }, ports);
    const all = posted(ports, name);
    const delivered = all.flatMap(({ type, position }) => (type === 'alert' ? [Number(String(position).split('-')[1])] : []));
    expect(delivered).toEqual([...delivered].sort((a, b) => a - b));
    return { first: delivered[0], count: delivered.length, recovered: all.find(({ type }) => type === 'subscribed')?.['recovered'] };
  };

  test('of operations covers at least 300 messages and 10 minutes', async () => {
    const { history } = ports.channels.of(ALERTS) as Channel;

    expect(history.messages).toBeGreaterThanOrEqual(300);
    expect(history.ms).toBeGreaterThanOrEqual(10 * 60_000);
  });

  test('keeps the newest messages, however old they are', async () => {
    limited({ messages: 30, ms: 60_000, most: 1_000 });
    await raise(40, 1_800_000);

    expect(await resubscribe(10)).toEqual({ first: 11, count: 30, recovered: true });
    expect(await resubscribe(9)).toEqual({ first: 11, count: 30, recovered: false });
  });

  test('keeps the messages of the last minute, however many they are', async () => {
    limited({ messages: 10, ms: 60_000, most: 1_000 });
    await raise(50, 10_000);
    await raise(200, 100);

    // the last minute has 200 in its last 20 s, and 4 before
    const { first, count, recovered } = await resubscribe();
    expect(recovered).toBe(false);
    expect(first).toBeGreaterThanOrEqual(46);
    expect(first).toBeLessThanOrEqual(48);
    expect(count).toBe(250 - (first ?? 0) + 1);
  });

  test('never keeps more messages than its maximum', async () => {
    limited({ messages: 10, ms: 3_600_000, most: 100 });
    await raise(180);

    expect(await resubscribe()).toEqual({ first: 81, count: 100, recovered: false });
  });

  test('is found in few reads', async () => {
    limited({ messages: 10, ms: 60_000, most: 100_000 });
    await raise(1_000, 120);
    let reads = 0;
    const { committedAfter } = ports.topics;
    ports.topics.committedAfter = (topic, after) => {
      reads++;
      return committedAfter(topic, after);
    };

    await resubscribe();

    expect(reads).toBeGreaterThan(3);

    expect(reads).toBeLessThanOrEqual(11);
  });
});

test('the first drain does not read messages that came while nobody was subscribed', async () => {
  const first = await senderOf(ports, 'first');
  await first({ type: 'subscribe', topic: TOPIC });
  await publish(2);
  await first({ type: 'unsubscribe', topic: TOPIC });
  ports.clock.nowMs += 600_000;
  await sweep({ ...ports, idleTimeoutSeconds: 3_600, pingIntervalSeconds: 3_000 });
  await publish(700);
  const send = await senderOf(ports, 'a');
  await send({ type: 'subscribe', topic: TOPIC });
  let read = 0;
  const { readLog } = ports.topics;
  ports.topics.readLog = async (topic, after, limit) => {
    const found = await readLog(topic, after, limit);
    read += found.length;
    return found;
  };

  await publish(1);

  expect(offsets('a')).toEqual([703]);
  expect(read).toBeLessThan(5);
});

test('a client that subscribes while the sweep looks for subscribers misses nothing', async () => {
  const first = await senderOf(ports, 'first');
  await first({ type: 'subscribe', topic: TOPIC });
  await first({ type: 'unsubscribe', topic: TOPIC });
  await publish(3);
  ports.clock.nowMs += 600_000;
  const { desert } = ports.topics;
  ports.topics.desert = async (topic, stamp) => {
    // the audience was empty a moment ago
    const send = await senderOf(ports, 'a');
    await send({ type: 'subscribe', topic: TOPIC });
    await publish(1);
    await desert(topic, stamp);
  };
  await sweep({ ...ports, idleTimeoutSeconds: 3_600, pingIntervalSeconds: 3_000 });
  ports.topics.desert = desert;

  await publish(1);

  expect(offsets('a')).toEqual([4, 5]);
});

test('a burst on one log costs two writes per event, one read and one update of the head', async () => {
  const calls: string[] = [];
  const counted = <Name extends 'read' | 'eventBase' | 'putLog' | 'raiseHead' | 'readLog'>(name: Name) => {
    const method = ports.topics[name] as (...parameters: unknown[]) => unknown;
    return (...parameters: unknown[]) => {
      calls.push(name);
      return method(...parameters);
    };
  };
  const topics = Object.fromEntries(
    (['read', 'eventBase', 'putLog', 'raiseHead', 'readLog'] as const).map((name) => [name, counted(name)]),
  );
  const records = Array.from({ length: 10 }, (_, index) => {
    const { source, detailType, detail } = settled(55, 100, 'SUCCESS');
    return {
      id: `r${index}`,
      sentAtMs: SENT_AT_MS,
      body: JSON.stringify({ id: `b${index}`, source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail }),
    };
  });
  const bury = async (_: string, reason: string) => Promise.reject(new Error(reason));

  await ingest(records, { ...ports, topics: { ...ports.topics, ...topics }, deadLetters: { bury } });
  const once = calls.splice(0).sort();
  // the same records again: nothing is logged twice
  await ingest(records, { ...ports, deadLetters: { bury } });

  expect(once).toEqual([...Array(10).fill('eventBase'), ...Array(10).fill('putLog'), 'raiseHead', 'read']);
  expect((await ports.topics.readLog(TOPIC, 0, 100)).map(({ eventId }) => eventId)).toEqual(records.map((_, index) => `b${index}`));
});

test('an ingest whose offset is taken jumps past all taken offsets at once', async () => {
  const { read } = ports.topics;
  await publish(60);
  // it saw the log before those events
  ports.topics.read = async () => new Map();
  let puts = 0;
  const { putLog } = ports.topics;
  ports.topics.putLog = (...parameters) => {
    puts++;
    return putLog(...parameters);
  };

  await publish(1);
  ports.topics.read = read;

  expect(puts).toBe(2);
  expect((await ports.topics.readLog(TOPIC, 60, 10)).map(({ offset }) => offset)).toEqual([61]);
});

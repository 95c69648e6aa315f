/** What a client is told unasked, and how choosing ends it, in whatever order its messages are served. */
import { beforeEach, describe, expect, test } from 'vitest';
import { doJob } from '../../../core/delivery/jobs.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { alert, type PublishedEvent, service } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts, posted, speaker } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let say: Awaited<ReturnType<typeof speaker>>;
beforeEach(async () => {
  ports = memoryPorts();
  say = await speaker(ports, 'a');
});

const ANNOUNCE = { type: 'client_info', data: { client_id: 'me' } };
const choose = (eventTypes: string[], over: object = {}) => ({ type: 'subscribe', data: { event_types: eventTypes, ...over } });
const CRITICAL = { filters: { alert_levels: ['critical'] } };

let serial = 0;
const publish = async (...events: PublishedEvent[]): Promise<void> => {
  const records = events.map(({ source, detailType, detail }) => {
    const id = `e${serial++}`;
    return { id, body: JSON.stringify({ id, source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail }) };
  });
  expect(await ingest(records, { ...ports, deadEvents: { bury: async (_, reason) => Promise.reject(new Error(reason)) } })).toEqual([]);
};
/** Does what waits in the queue. */
const work = async (): Promise<void> => {
  for (const { job } of ports.jobs.jobs.splice(0)) await doJob(job, ports);
};
const titles = (): unknown[] =>
  posted(ports, 'a').flatMap(({ type, data }) => (type === 'alert' ? [(data as { title: string }).title] : []));
const types = (): Set<unknown> => new Set(posted(ports, 'a').map(({ type }) => type));
const tellBoth = () => publish(alert({ title: 'info', level: 'info' }), alert({ title: 'critical', level: 'critical' }), service());

describe('what was asked for stands', () => {
  test('a subscription by topic goes on where it was when its client announces itself', async () => {
    await say({ type: 'subscribe', topic: 'ops:alert' });
    // it is slow: what comes waits for it
    ports.gateway.outcome.set('a', 'slow');
    await publish(alert({ title: 'missed' }));
    ports.gateway.outcome.set('a', 'sent');
    await say(ANNOUNCE);
    ports.clock.nowMs += 120_000;
    await work();
    await publish(alert({ title: 'next' }));

    expect(titles()).toEqual(['missed', 'next']);
  });

  test('and does not end when it chooses others', async () => {
    await say({ type: 'subscribe', topic: 'ops:alert' });
    await say(ANNOUNCE);
    await say(choose(['service_event']));
    await tellBoth();

    expect(titles()).toEqual(['info', 'critical']);
  });

  test('two announcements at once are one', async () => {
    await Promise.all([say(ANNOUNCE), say(ANNOUNCE)]);
    await tellBoth();
    await work();

    expect(titles()).toEqual(['info', 'critical']);
  });
});

describe('choosing ends what came unasked', () => {
  const now = (): number => ports.clock.now();

  test.each([
    ['in the order of their times', 0, 1],
    ['at the same time', 0, 0],
    ['although the announcement is the later', 1, 0],
  ])('%s', async (_, announced, chosen) => {
    const at = now();
    await say(ANNOUNCE, at + announced);
    await say(choose(['alert'], CRITICAL), at + chosen);
    await tellBoth();
    await work();

    expect(titles()).toEqual(['critical']);
    expect(types()).not.toContain('service_event');
  });

  test.each([0, 1])('where it is served before the announcement (%i ms earlier)', async (earlier) => {
    const at = now();
    await say(choose(['alert'], CRITICAL), at);
    await say(ANNOUNCE, at + earlier);
    await tellBoth();

    expect(titles()).toEqual(['critical']);
    expect(types()).not.toContain('service_event');
  });

  test('where it is served while the announcement is at work', async () => {
    const at = now();
    const { announce } = ports.announcements;
    ports.announcements.announce = async (...parameters) => {
      const stands = await announce(...parameters);
      await say(choose(['alert'], CRITICAL), at);
      return stands;
    };
    await say(ANNOUNCE, at);
    await tellBoth();
    await work();

    expect(titles()).toEqual(['critical']);
    expect(types()).not.toContain('service_event');
  });

  test('with the next choice, where the first failed half-way', async () => {
    await say(ANNOUNCE);
    const { end } = ports.audience;
    ports.audience.end = async () => Promise.reject(new Error('throttled'));
    await say(choose(['alert']));
    ports.audience.end = end;
    ports.clock.nowMs += 1_000;
    await say(choose(['alert']));
    await tellBoth();

    expect(types()).not.toContain('service_event');
    expect(titles()).toEqual(['info', 'critical']);
  });

  test.each([
    ['names nothing that is', choose(['alerts'])],
    ['has a filter that is none', choose(['alert'], { filters: { alert_levels: ['fatal'] } })],
    ['names a filter that is none', choose(['alert'], { filters: { alert_level: ['info'] } })],
    ['ends nothing that is', { type: 'unsubscribe', data: { event_types: ['alerts'] } }],
    ['comes back with a position of nothing', { ...choose(['alert']), since: { alerts: 'e:1' } }],
    ['has its position in the wrong place', choose(['alert'], { since: 'e:1' })],
  ])('but not one that %s: that is only an error', async (_, message) => {
    await say(ANNOUNCE);
    await say(message);
    await tellBoth();

    expect(posted(ports, 'a').find(({ type }) => type === 'error')?.['data']).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
    expect(types()).toContain('service_event');
    expect(titles()).toEqual(['info', 'critical']);
  });
});

describe('what was asked for stands, in whatever order', () => {
  const at = (): number => ports.clock.now() + 10;
  const both = async (): Promise<void> => {
    await work();
    await publish(alert({ title: 'x' }), service());
    await work();
  };
  beforeEach(() => say(ANNOUNCE));

  test('two choices at once add up', async () => {
    await Promise.all([say(choose(['alert']), at()), say(choose(['service_event']), at() + 1)]);
    await both();

    expect(titles()).toEqual(['x']);
    expect(types()).toContain('service_event');
  });

  test.each([
    ['a choice', choose(['alert'])],
    ['a subscription by topic', { type: 'subscribe', topic: 'ops:alert' }],
  ])('%s made before another and served after it counts', async (_, earlier) => {
    const asked = at();
    await say(choose(['service_event']), asked + 1);
    await say(earlier, asked);
    await both();

    expect(titles()).toEqual(['x']);
    expect(types()).toContain('service_event');
  });

  test('leaving one topic out leaves the others, also through another announcement', async () => {
    await say({ type: 'unsubscribe', topic: 'ops:alert' }, at());
    await say(ANNOUNCE, at() + 1);
    await both();

    expect(titles()).toEqual([]);
    expect(types()).toContain('service_event');
  });
});

test('a subscription by topic that comes between an unasked one and its name is not ended by a choice', async () => {
  const { add } = ports.ownSubscriptions;
  const at = ports.clock.now();
  let asked = false;
  ports.ownSubscriptions.add = async (key, atMs, expiresAtMs, unasked) => {
    if (unasked && key.topic === 'ops:alert' && !asked) {
      asked = true;
      await say({ type: 'subscribe', topic: 'ops:alert' }, at + 1);
    }
    return add(key, atMs, expiresAtMs, unasked);
  };
  await say(ANNOUNCE, at);
  await say(choose(['service_event']), at + 5);
  await work();
  await publish(alert({ title: 'x' }));
  await work();

  expect(asked).toBe(true);
  expect(titles()).toEqual(['x']);
});

test('no name stays of what was ended while it came', async () => {
  const { put } = ports.audience;
  const at = ports.clock.now();
  let chosen = false;
  ports.audience.put = async (subscription, requestedAtMs, expiresAtMs) => {
    if (requestedAtMs === null && !chosen) {
      chosen = true;
      await say(choose(['alert']), at + 1);
    }
    return put(subscription, requestedAtMs, expiresAtMs);
  };
  await say(ANNOUNCE, at);

  expect((await ports.ownSubscriptions.list('a')).map(({ topic }) => topic)).toEqual(['ops:alert']);
});

test('what comes unasked does not count among the subscriptions a connection may have', async () => {
  ports.maxSubscriptions = 10;
  await say(ANNOUNCE);
  const topics = (count: number) => Array.from({ length: count }, (_, index) => `price:00000${index}`);
  await say({ type: 'subscribe', topics: topics(10) });
  expect(types()).not.toContain('error');

  await say({ type: 'subscribe', topic: 'price:999999' });
  expect(posted(ports, 'a').at(-1)?.['data']).toMatchObject({ error_code: 'TOO_MANY_SUBSCRIPTIONS' });
});

test('a position may go by the type as well as by the topic', async () => {
  await publish(alert({ title: 'one' }), alert({ title: 'two' }));
  const epoch = (await ports.topics.read(['ops:alert'])).get('ops:alert')?.epoch;

  await say({ ...choose(['alert', 'service_event']), since: { alert: `${epoch}:1` } });

  expect(titles()).toEqual(['two']);
});

test('a filter has its size', async () => {
  await say(
    choose(['service_event'], { filters: { service_ids: Array.from({ length: 100 }, (_, index) => `${index}${'x'.repeat(100)}`) } }),
  );

  expect(posted(ports, 'a').at(-1)?.['data']).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
});

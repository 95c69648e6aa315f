/** Default subscriptions: an announcement starts them and a choice ends them, in any order of the messages. */
import { beforeEach, describe, expect, test } from 'vitest';
import { doJob } from '../../../core/delivery/jobs.ts';
import { ingest } from '../../../core/events/ingest.ts';
import { alert, type PublishedEvent, SENT_AT_MS, service } from '../../helpers/events.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let send: Awaited<ReturnType<typeof senderOf>>;
beforeEach(async () => {
  ports = memoryPorts();
  send = await senderOf(ports, 'a');
});

const ANNOUNCE = { type: 'client_info', data: { client_id: 'me' } };
const choose = (eventTypes: string[], over: object = {}) => ({ type: 'subscribe', data: { event_types: eventTypes, ...over } });
const CRITICAL = { filters: { alert_levels: ['critical'] } };

let serial = 0;
const publish = async (...events: PublishedEvent[]): Promise<void> => {
  const records = events.map(({ source, detailType, detail }) => {
    const id = `e${serial++}`;
    return {
      id,
      sentAtMs: SENT_AT_MS,
      body: JSON.stringify({ id, source, 'detail-type': detailType, time: '2026-02-06T03:00:00Z', detail }),
    };
  });
  expect(await ingest(records, { ...ports, deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) } })).toEqual([]);
};
/** Does the jobs in the queue. */
const doJobs = async (): Promise<void> => {
  for (const { job } of ports.jobs.jobs.splice(0)) await doJob(job, ports);
};
const titles = (): unknown[] =>
  posted(ports, 'a').flatMap(({ type, data }) => (type === 'alert' ? [(data as { title: string }).title] : []));
const types = (): Set<unknown> => new Set(posted(ports, 'a').map(({ type }) => type));
const publishEach = () => publish(alert({ title: 'info', level: 'info' }), alert({ title: 'critical', level: 'critical' }), service());

describe('a subscription that was asked for', () => {
  test('continues where it was when its client announces itself', async () => {
    await send({ type: 'subscribe', topic: 'ops:alert' });
    // the client is slow: the message is delivered later
    ports.gateway.outcome.set('a', 'slow');
    await publish(alert({ title: 'missed' }));
    ports.gateway.outcome.set('a', 'sent');
    await send(ANNOUNCE);
    ports.clock.nowMs += 120_000;
    await doJobs();
    await publish(alert({ title: 'next' }));

    expect(titles()).toEqual(['missed', 'next']);
  });

  test('does not end when its client chooses other topics', async () => {
    await send({ type: 'subscribe', topic: 'ops:alert' });
    await send(ANNOUNCE);
    await send(choose(['service_event']));
    await publishEach();

    expect(titles()).toEqual(['info', 'critical']);
  });

  test('two announcements at once count as one', async () => {
    await Promise.all([send(ANNOUNCE), send(ANNOUNCE)]);
    await publishEach();
    await doJobs();

    expect(titles()).toEqual(['info', 'critical']);
  });
});

describe('a choice ends the default subscriptions', () => {
  const now = (): number => ports.clock.now();

  test.each([
    ['if it is later than the announcement', 0, 1],
    ['if both have the same time', 0, 0],
    ['even if the announcement is later', 1, 0],
  ])('%s', async (_, announced, chosen) => {
    const at = now();
    await send(ANNOUNCE, at + announced);
    await send(choose(['alert'], CRITICAL), at + chosen);
    await publishEach();
    await doJobs();

    expect(titles()).toEqual(['critical']);
    expect(types()).not.toContain('service_event');
  });

  test.each([0, 1])('if it is served before the announcement (%i ms earlier)', async (earlier) => {
    const at = now();
    await send(choose(['alert'], CRITICAL), at);
    await send(ANNOUNCE, at + earlier);
    await publishEach();

    expect(titles()).toEqual(['critical']);
    expect(types()).not.toContain('service_event');
  });

  test('if it is served during the announcement', async () => {
    const at = now();
    const { announce } = ports.announcements;
    ports.announcements.announce = async (...parameters) => {
      const stands = await announce(...parameters);
      await send(choose(['alert'], CRITICAL), at);
      return stands;
    };
    await send(ANNOUNCE, at);
    await publishEach();
    await doJobs();

    expect(titles()).toEqual(['critical']);
    expect(types()).not.toContain('service_event');
  });

  test('by the next choice if the first failed halfway', async () => {
    await send(ANNOUNCE);
    const { end } = ports.audience;
    ports.audience.end = async () => Promise.reject(new Error('throttled'));
    await send(choose(['alert']));
    ports.audience.end = end;
    ports.clock.nowMs += 1_000;
    await send(choose(['alert']));
    await publishEach();

    expect(types()).not.toContain('service_event');
    expect(titles()).toEqual(['info', 'critical']);
  });

  test.each([
    ['names no known type', choose(['alerts'])],
    ['has an invalid filter', choose(['alert'], { filters: { alert_levels: ['fatal'] } })],
    ['has an unknown filter', choose(['alert'], { filters: { alert_level: ['info'] } })],
    ['unsubscribes from no known type', { type: 'unsubscribe', data: { event_types: ['alerts'] } }],
    ['has a position of an unknown type', { ...choose(['alert']), since: { alerts: 'e-1' } }],
    ['has its position in the wrong field', choose(['alert'], { since: 'e-1' })],
  ])('but not if it %s: that is only an error', async (_, message) => {
    await send(ANNOUNCE);
    await send(message);
    await publishEach();

    expect(posted(ports, 'a').find(({ type }) => type === 'error')?.['data']).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
    expect(types()).toContain('service_event');
    expect(titles()).toEqual(['info', 'critical']);
  });
});

describe('a subscription that was asked for stands in any order', () => {
  const at = (): number => ports.clock.now() + 10;
  const publishAfterJobs = async (): Promise<void> => {
    await doJobs();
    await publish(alert({ title: 'x' }), service());
    await doJobs();
  };
  beforeEach(() => send(ANNOUNCE));

  test('two choices at once add up', async () => {
    await Promise.all([send(choose(['alert']), at()), send(choose(['service_event']), at() + 1)]);
    await publishAfterJobs();

    expect(titles()).toEqual(['x']);
    expect(types()).toContain('service_event');
  });

  test.each([
    ['a choice', choose(['alert'])],
    ['a subscription by topic', { type: 'subscribe', topic: 'ops:alert' }],
  ])('%s that was sent before another choice and served after it counts', async (_, earlier) => {
    const asked = at();
    await send(choose(['service_event']), asked + 1);
    await send(earlier, asked);
    await publishAfterJobs();

    expect(titles()).toEqual(['x']);
    expect(types()).toContain('service_event');
  });

  test('an unsubscribe from one topic keeps the others, even after another announcement', async () => {
    await send({ type: 'unsubscribe', topic: 'ops:alert' }, at());
    await send(ANNOUNCE, at() + 1);
    await publishAfterJobs();

    expect(titles()).toEqual([]);
    expect(types()).toContain('service_event');
  });
});

test('a choice does not end a subscription by topic that came while the default one was being stored', async () => {
  const { add } = ports.ownSubscriptions;
  const at = ports.clock.now();
  let asked = false;
  ports.ownSubscriptions.add = async (key, atMs, expiresAtMs, unasked) => {
    if (unasked && key.topic === 'ops:alert' && !asked) {
      asked = true;
      await send({ type: 'subscribe', topic: 'ops:alert' }, at + 1);
    }
    return add(key, atMs, expiresAtMs, unasked);
  };
  await send(ANNOUNCE, at);
  await send(choose(['service_event']), at + 5);
  await doJobs();
  await publish(alert({ title: 'x' }));
  await doJobs();

  expect(asked).toBe(true);
  expect(titles()).toEqual(['x']);
});

test('a default subscription that ended while it was being stored is not listed', async () => {
  const { put } = ports.audience;
  const at = ports.clock.now();
  let chosen = false;
  ports.audience.put = async (subscription, requestedAtMs, expiresAtMs) => {
    if (requestedAtMs === null && !chosen) {
      chosen = true;
      await send(choose(['alert']), at + 1);
    }
    return put(subscription, requestedAtMs, expiresAtMs);
  };
  await send(ANNOUNCE, at);

  expect((await ports.ownSubscriptions.list('a')).map(({ topic }) => topic)).toEqual(['ops:alert']);
});

test('default subscriptions do not count towards the limit of a connection', async () => {
  ports.maxSubscriptions = 10;
  await send(ANNOUNCE);
  const topics = (count: number) => Array.from({ length: count }, (_, index) => `price:00000${index}`);
  await send({ type: 'subscribe', topics: topics(10) });
  expect(types()).not.toContain('error');

  await send({ type: 'subscribe', topic: 'price:999999' });
  expect(posted(ports, 'a').at(-1)?.['data']).toMatchObject({ error_code: 'TOO_MANY_SUBSCRIPTIONS' });
});

test('a position may be given by type as well as by topic', async () => {
  await publish(alert({ title: 'one' }), alert({ title: 'two' }));
  const epoch = (await ports.topics.read(['ops:alert'])).get('ops:alert')?.epoch;

  await send({ ...choose(['alert', 'service_event']), since: { alert: `${epoch}-1` } });

  expect(titles()).toEqual(['two']);
});

test('a filter that is too large is refused', async () => {
  await send(
    choose(['service_event'], { filters: { service_ids: Array.from({ length: 100 }, (_, index) => `${index}${'x'.repeat(100)}`) } }),
  );

  expect(posted(ports, 'a').at(-1)?.['data']).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT' });
});

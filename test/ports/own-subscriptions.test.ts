import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh, key, opened } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());
  const later = (): number => tables.clock.now() + 3_600_000;

  test('are added, listed and removed', async () => {
    const a = fresh('connection');
    await tables.connections.open(opened(a));
    await tables.ownSubscriptions.add(key('/topic/with#hash', a), 5, later());
    await tables.ownSubscriptions.add(key('price:005930', a), 6, later());
    await tables.ownSubscriptions.remove(key('price:005930', a));

    expect(await tables.ownSubscriptions.list(a)).toEqual([{ ...key('/topic/with#hash', a), unasked: false }]);
    await tables.connections.resetSubscribes(a, 1);
    expect(await tables.connections.touch(a, { atMs: 1, nowMs: 1, pong: true, subscribes: 2, weight: 1, pace: null })).toMatchObject({
      subscribes: 3,
    });
  });

  test('an unasked one replaces none that was asked for, and is removed alone', async () => {
    const a = fresh('connection');
    await tables.connections.open(opened(a));
    const names = async () => (await tables.ownSubscriptions.list(a)).map(({ topic, unasked }) => `${topic} ${unasked}`).sort();
    await tables.ownSubscriptions.add(key('asked', a), 5, later());
    for (const topic of ['asked', 'unasked']) await tables.ownSubscriptions.add(key(topic, a), 6, later(), true);
    expect(await names()).toEqual(['asked false', 'unasked true']);

    for (const topic of ['asked', 'unasked']) await tables.ownSubscriptions.remove(key(topic, a), 'unasked');
    await tables.ownSubscriptions.remove(key('asked', a), { askedBy: 4 });
    expect(await names()).toEqual(['asked false']);
    await tables.ownSubscriptions.remove(key('asked', a), { askedBy: 5 });
    expect(await names()).toEqual([]);
  });

  test("subscriptions are found by the client's own id, whatever it is made of", async () => {
    const a = fresh('connection');
    for (const subscriptionId of ['x', 'x#y', 'é/ #', '']) {
      await tables.ownSubscriptions.add({ topic: 't#u', shard: 0, connectionId: a, subscriptionId }, 1, later());
    }

    for (const subscriptionId of ['x', 'x#y', 'é/ #', '']) {
      expect(await tables.ownSubscriptions.list(a, subscriptionId)).toEqual([
        { topic: 't#u', shard: 0, connectionId: a, subscriptionId, unasked: false },
      ]);
    }
    expect(await tables.ownSubscriptions.list(a)).toHaveLength(4);
  });

  test("a client's own id is claimed for one subscription, until that is gone; without one there is one a topic", async () => {
    const a = fresh('connection');
    const own = (subscriptionId: string, topic: string) => ({ topic, shard: 0, connectionId: a, subscriptionId });
    const claim = (subscriptionId: string, topic: string) => tables.ownSubscriptions.claim(own(subscriptionId, topic), 1, later());

    expect(await claim('x', 't')).toBe(true);
    expect(await claim('x', 't')).toBe(false);
    expect(await claim('x', 'u')).toBe(false);
    expect(await claim('y', 't')).toBe(true);
    expect(await claim('', 't')).toBe(true);
    expect(await claim('', 'u')).toBe(true);
    expect(await claim('', 'u')).toBe(false);
    await tables.ownSubscriptions.remove(own('x', 't'));

    expect(await claim('x', 'u')).toBe(true);
    expect(await tables.ownSubscriptions.list(a, 'x')).toEqual([{ ...own('x', 'u'), unasked: false }]);
  });
});

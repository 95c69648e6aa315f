import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { audienceOf as allOf, fresh, key, subscription } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());
  const later = (): number => tables.clock.now() + 3_600_000;
  const audienceOf = (topic: string) => allOf(tables, topic);
  const member = async (topic: string, connectionId: string) => (await audienceOf(topic)).find((one) => one.connectionId === connectionId);

  test('pages the subscriptions, without those that ended or expired', async () => {
    const topic = fresh('topic');
    await tables.audience.put(subscription(topic, 'a'), 10, later());
    await tables.audience.put(subscription(topic, 'b', { from: 3, late: 'm' }), 10, later());
    await tables.audience.put(subscription(topic, 'gone'), 10, later());
    await tables.audience.end(key(topic, 'gone'), 20, later());
    await tables.audience.put(subscription(topic, 'old'), 10, tables.clock.now() - 1000);

    expect((await audienceOf(topic)).sort((x, y) => x.connectionId.localeCompare(y.connectionId))).toEqual([
      subscription(topic, 'a'),
      subscription(topic, 'b', { from: 3, late: 'm' }),
    ]);
    expect(await tables.audience.find([key(topic, 'b'), key(topic, 'gone'), key(topic, 'nobody')])).toEqual([
      { ...subscription(topic, 'b', { from: 3, late: 'm' }), ended: false, unasked: false },
      expect.objectContaining({ ended: true }),
      null,
    ]);
  });

  test('expired subscriptions and tombstones are deleted by those who read past them', async () => {
    const topic = fresh('topic');
    await tables.audience.put(subscription(topic, 'a'), 10, later());
    await tables.audience.put(subscription(topic, 'b'), 10, later());
    await tables.audience.end(key(topic, 'b'), 20, tables.clock.now() - 2_000);

    expect(await audienceOf(topic)).toHaveLength(1);
    tables.clock.nowMs -= 10_000;
    expect(await tables.audience.find([key(topic, 'b')])).toEqual([null]);
    tables.clock.nowMs += 10_000;
  });

  test('the later request wins, whatever order they are served in', async () => {
    const topic = fresh('topic');

    await tables.audience.end(key(topic, 'a'), 20, later());
    expect(await tables.audience.put(subscription(topic, 'a'), 10, later())).toBe('overtaken');
    expect(await tables.audience.put(subscription(topic, 'a'), 30, later())).toBe('replaced');
    expect(await tables.audience.end(key(topic, 'a'), 25, later())).toBe('overtaken');

    expect(await audienceOf(topic)).toHaveLength(1);
  });

  test('a subscription that caught up is late no more, but only by the mark and from where it was seen, and never backwards', async () => {
    const topic = fresh('topic');
    const seen = subscription(topic, 'a', { from: 5, late: 'm', notBeforeMs: 9, strikes: 2 });
    await tables.audience.put(seen, 10, later());

    await tables.audience.caughtUp({ ...seen, from: 4 }, 8);
    await tables.audience.caughtUp({ ...seen, late: 'another' }, 8);
    await tables.audience.caughtUp({ ...seen, late: null }, 8);
    await tables.audience.caughtUp(seen, 3);
    expect(await member(topic, 'a')).toEqual(seen);
    await tables.audience.caughtUp(seen, 8);

    expect(await member(topic, 'a')).toEqual(subscription(topic, 'a', { from: 8 }));
  });

  test('a late one that is throttled while it is caught up moves on, one that has moved meanwhile does not move back', async () => {
    const topic = fresh('topic');
    const seen = subscription(topic, 'a', { from: 5, late: 'm' });
    await tables.audience.put(seen, 10, later());

    await tables.audience.passOver(seen, 8, { notBeforeMs: 77, strikes: 1, mark: 'n' });
    expect(await member(topic, 'a')).toMatchObject({ from: 8, late: 'n', notBeforeMs: 77, strikes: 1 });
    await tables.audience.passOver(seen, 9, { notBeforeMs: 99, strikes: 2, mark: 'o' });
    await tables.audience.passOver({ ...seen, from: 8 }, 9, { notBeforeMs: 99, strikes: 2, mark: 'o' });

    expect(await member(topic, 'a')).toMatchObject({ from: 8, late: 'n', notBeforeMs: 77 });
  });

  test('a subscription without a request gives way to every request, and takes the place of nothing', async () => {
    const topic = fresh('topic');
    const put = (from: number, requestedAtMs: number | null) =>
      tables.audience.put(subscription(topic, 'a', { from }), requestedAtMs, later());

    expect(await put(1, null)).toBe('put');
    expect(await put(2, null)).toBe('overtaken');
    expect(await member(topic, 'a')).toMatchObject({ from: 1 });
    expect(await tables.audience.end(key(topic, 'a'), null, later())).toBe('ended');
    expect(await put(3, null)).toBe('overtaken');
    expect(await put(4, 1)).toBe('replaced');
    expect(await tables.audience.end(key(topic, 'a'), null, later())).toBe('overtaken');
    expect(await member(topic, 'a')).toMatchObject({ from: 4 });
  });

  test('one renewed outlives the end that was asked for before; one that ended is not renewed', async () => {
    const topic = fresh('topic');
    await tables.audience.put(subscription(topic, 'a', { from: 5 }), 10, later());

    expect(await tables.audience.renew(key(topic, 'a'), ['x'], 30)).toBe(true);
    expect(await tables.audience.end(key(topic, 'a'), 20, later())).toBe('overtaken');
    expect(await member(topic, 'a')).toMatchObject({ from: 5, filter: ['x'] });
    expect(await tables.audience.renew(key(topic, 'a'), null, 31)).toBe(true);
    expect(await member(topic, 'a')).toMatchObject({ filter: null });
    expect(await tables.audience.end(key(topic, 'a'), 40, later())).toBe('ended');

    expect(await tables.audience.renew(key(topic, 'a'), null, 50)).toBe(false);
  });

  test('one marked late keeps the earlier of two marks, and the dead stay dead', async () => {
    const topic = fresh('topic');
    await tables.audience.put(subscription(topic, 'a', { from: 5 }), 10, later());

    await tables.audience.passOver(subscription(topic, 'a', { from: 5 }), 3, { notBeforeMs: 77, strikes: 1, mark: 'm' });
    await tables.audience.markLate(key(topic, 'a'), 4, 'n');
    expect(await member(topic, 'a')).toMatchObject({ from: 3, late: 'm', notBeforeMs: 77, strikes: 1 });
    await tables.audience.markLate(key(topic, 'a'), -1, 'o');
    await tables.audience.markLate(key(topic, 'nobody'), -1, 'p');

    expect(await member(topic, 'a')).toMatchObject({ from: -1, late: 'o' });
    expect(await audienceOf(topic)).toHaveLength(1);
    await tables.audience.remove(key(topic, 'a'));
    expect(await audienceOf(topic)).toEqual([]);
  });

  test('a late one advances unless it was marked again meanwhile; its registration can be forgotten', async () => {
    const topic = fresh('topic');
    const seen = subscription(topic, 'a', { from: 5, late: 'm', registration: 's' });
    await tables.audience.put(seen, 10, later());

    expect(await tables.audience.advance({ ...seen, from: 4 }, 9)).toBe(false);
    expect(await tables.audience.advance({ ...seen, late: 'another' }, 9)).toBe(false);
    expect(await tables.audience.advance(seen, 9)).toBe(true);
    await tables.audience.forgetRegistration(key(topic, 'a'));
    await tables.audience.forgetRegistration(key(topic, 'nobody'));

    expect(await member(topic, 'a')).toMatchObject({ from: 9, late: 'm', registration: null });
  });
});

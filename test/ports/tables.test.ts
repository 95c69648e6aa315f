/** What the table ports promise, on every implementation. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StateCommit } from '../../core/channels/channel.ts';
import type { NewConnection, Subscription, SubscriptionKey } from '../../core/ports.ts';
import { implementations, type Tables } from './implementations.ts';

let serial = 0;
const fresh = (kind: string): string => `${kind}-${serial++}`;

const stateCommit = (topic: string, order: string, over: Partial<StateCommit> = {}): StateCommit => ({
  kind: 'state',
  topic,
  part: 'price',
  order,
  value: { order },
  recent: `point-${order}`,
  ahead: false,
  ...over,
});
const key = (topic: string, connectionId: string): SubscriptionKey => ({ topic, shard: 0, connectionId, subscriptionId: 'json' });
const subscription = (topic: string, connectionId: string, over: Partial<Subscription> = {}): Subscription => ({
  ...key(topic, connectionId),
  dialect: 'json',
  from: 0,
  late: false,
  notBeforeMs: 0,
  strikes: 0,
  filter: null,
  registration: null,
  ...over,
});

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());
  const later = (): number => tables.clock.now() + 3_600_000;
  const audienceOf = async (topic: string): Promise<Subscription[]> => {
    const all: Subscription[] = [];
    for await (const page of tables.audience.pages(topic, 0)) all.push(...page);
    return all;
  };
  const member = async (topic: string, connectionId: string): Promise<Subscription | undefined> =>
    (await audienceOf(topic)).find((one) => one.connectionId === connectionId);

  describe('topics', () => {
    test('a commit makes the topic, and each newer one raises the head by one', async () => {
      const topic = fresh('topic');

      const first = await tables.topics.commitState(stateCommit(topic, 'a'));
      const second = await tables.topics.commitState(stateCommit(topic, 'b'));

      expect(first).toMatchObject({ changed: true, state: { head: 1, parts: { price: { order: 'a' } }, heard: false, listed: false } });
      expect(second).toMatchObject({
        changed: true,
        state: { head: 2, epoch: first.state.epoch, parts: { price: { order: 'b' } }, recent: ['point-a', 'point-b'] },
      });
    });

    test('the same or an older order changes nothing, and the state is told all the same', async () => {
      const topic = fresh('topic');
      await tables.topics.commitState(stateCommit(topic, 'b'));

      expect(await tables.topics.commitState(stateCommit(topic, 'b', { value: { other: 1 } }))).toMatchObject({
        changed: false,
        state: { head: 1, parts: { price: { order: 'b' } } },
      });
      expect(await tables.topics.commitState(stateCommit(topic, 'a'))).toMatchObject({ changed: false, state: { head: 1 } });
    });

    test('parts are newest-wins each on its own', async () => {
      const topic = fresh('topic');
      await tables.topics.commitState(stateCommit(topic, 'z'));

      const { changed, state } = await tables.topics.commitState(
        stateCommit(topic, 'a', { part: 'halt', recent: null, value: { halted: true } }),
      );

      expect(changed).toBe(true);
      expect(state.parts).toEqual({ price: { order: 'z' }, halt: { halted: true } });
    });

    test('hearing makes the topic at offset 0 and keeps its epoch; unhearing takes only that back', async () => {
      const topic = fresh('topic');

      const heard = await tables.topics.hear(topic);
      await tables.topics.commitState(stateCommit(topic, 'a'));
      await tables.topics.unhear(topic, 'stamp');
      const after = (await tables.topics.read([topic])).get(topic);

      expect(heard).toMatchObject({ head: 0, heard: true });
      expect(after).toMatchObject({ head: 1, heard: false, epoch: heard.epoch });
    });

    test('reads several at once and leaves out what is not there', async () => {
      const topics = Array.from({ length: 130 }, () => fresh('topic'));
      for (const topic of topics.slice(0, 120)) await tables.topics.hear(topic);

      const read = await tables.topics.read(topics);

      expect(read.size).toBe(120);
      expect(read.get(topics[5] as string)?.topic).toBe(topics[5]);
    });

    test('history is thinned only if nothing came since', async () => {
      const topic = fresh('topic');
      await tables.topics.commitState(stateCommit(topic, 'a'));
      const { state: seen } = await tables.topics.commitState(stateCommit(topic, 'b'));
      await tables.topics.commitState(stateCommit(topic, 'c'));

      await tables.topics.thinRecent(seen, ['thin']);
      const kept = (await tables.topics.read([topic])).get(topic);
      await tables.topics.thinRecent(kept as typeof seen, ['thin']);

      expect(kept?.recent).toHaveLength(3);
      expect((await tables.topics.read([topic])).get(topic)?.recent).toEqual(['thin']);
    });

    test('an event keeps the base of its first try', async () => {
      const topic = fresh('log');

      expect(await tables.topics.eventBase(topic, 'e', 3)).toBe(3);
      expect(await tables.topics.eventBase(topic, 'e', 9)).toBe(3);
    });

    test('an offset of a log is taken once, and its event may come again', async () => {
      const topic = fresh('log');

      expect(await tables.topics.putLog(topic, 1, 'e', { n: 1 })).toBe('put');
      expect(await tables.topics.putLog(topic, 1, 'e', { n: 1 })).toBe('put');
      expect(await tables.topics.putLog(topic, 1, 'f', { n: 2 })).toBe('taken');
    });

    test('remembers where somebody began to listen, until nobody was there', async () => {
      const topic = fresh('log');
      await tables.topics.raiseHead(topic, 5);
      expect(await tables.topics.hear(topic)).toMatchObject({ heard: true, heardFrom: 5 });
      await tables.topics.raiseHead(topic, 7);
      expect(await tables.topics.hear(topic)).toMatchObject({ heardFrom: 5 });
      await tables.topics.desert(topic, 'nobody said so');
      expect(await tables.topics.hear(topic)).toMatchObject({ heardFrom: 5 });
      await tables.topics.unhear(topic, 'one');
      // somebody may still have been there
      expect(await tables.topics.hear(topic)).toMatchObject({ heardFrom: 5 });
      await tables.topics.unhear(topic, 'another');
      // who looked before somebody came and was overlooked knows nothing of now
      await tables.topics.desert(topic, 'one');
      expect(await tables.topics.hear(topic)).toMatchObject({ heardFrom: 5 });

      await tables.topics.unhear(topic, 'last');
      await tables.topics.desert(topic, 'last');
      expect(await tables.topics.hear(topic)).toMatchObject({ heardFrom: 7 });
      expect(await tables.topics.hear(fresh('log'))).toMatchObject({ head: 0, heardFrom: 0 });
    });

    test('the head of a log rises and never falls', async () => {
      const topic = fresh('log');

      expect(await tables.topics.raiseHead(topic, 5)).toMatchObject({ head: 5 });
      expect(await tables.topics.raiseHead(topic, 3)).toMatchObject({ head: 5 });
    });

    test('reads a log after an offset, in order, so many at most, and not what has expired', async () => {
      const topic = fresh('log');
      for (const offset of [1, 2, 3, 10, 11]) await tables.topics.putLog(topic, offset, `e${offset}`, { offset });

      const atMs = Math.ceil(tables.clock.nowMs / 1000) * 1000;
      const stored = (offset: number) => ({ offset, eventId: `e${offset}`, atMs, value: { offset } });
      expect(await tables.topics.readLog(topic, 1, 3)).toEqual([2, 3, 10].map(stored));
      expect(await tables.topics.readLog(topic, -1, 1)).toEqual([stored(1)]);
      tables.clock.nowMs += 90_000_000;
      expect(await tables.topics.readLog(topic, 0, 10)).toEqual([]);
      // whether or not it has expired
      expect(await tables.topics.committedAfter(topic, 3)).toBe(atMs);
      expect(await tables.topics.committedAfter(topic, 11)).toBeNull();
    });
  });

  describe('turns', () => {
    test('a free turn is taken by who pokes first; others poke only', async () => {
      const topic = fresh('topic');

      expect(await tables.turns.poke(topic, 0, 'me', 100)).toMatchObject({ holder: 'me', untilMs: 100, pokes: 1, cursor: 0, toldAtMs: 0 });
      expect(await tables.turns.poke(topic, 0, 'you', 200)).toMatchObject({ holder: 'me', untilMs: 100, pokes: 2 });
    });

    test('an expired turn is taken over by one of two', async () => {
      const topic = fresh('topic');
      const seen = await tables.turns.poke(topic, 0, 'dead', 100);

      expect(await tables.turns.takeOver(topic, 0, seen, 'me', 300)).toMatchObject({ holder: 'me', untilMs: 300 });
      expect(await tables.turns.takeOver(topic, 0, seen, 'you', 300)).toBeNull();
    });

    test('a release advances the cursor unless somebody poked since', async () => {
      const topic = fresh('topic');
      const { pokes } = await tables.turns.poke(topic, 0, 'me', 100);
      await tables.turns.poke(topic, 0, 'you', 100);

      expect(await tables.turns.release(topic, 0, 'me', { cursor: 7, epoch: 'e', toldAtMs: 50, nextAtMs: 60, pokes })).toBe('poked');
      expect(await tables.turns.read(topic, 0)).toMatchObject({ holder: 'me', cursor: 0 });
      expect(await tables.turns.release(topic, 0, 'me', { cursor: 7, epoch: 'e', toldAtMs: 50, nextAtMs: 60, pokes: pokes + 1 })).toBe(
        'released',
      );
      expect(await tables.turns.read(topic, 0)).toMatchObject({ holder: '', cursor: 7, toldAtMs: 50, nextAtMs: 60 });
    });

    test('who hands on releases whoever poked', async () => {
      const topic = fresh('topic');
      await tables.turns.poke(topic, 0, 'me', 100);
      await tables.turns.poke(topic, 0, 'you', 100);

      expect(await tables.turns.release(topic, 0, 'me', { cursor: 7, epoch: 'e', toldAtMs: 50, nextAtMs: 60, pokes: null })).toBe(
        'released',
      );
    });

    test('who lost the turn can neither extend, nor save, nor release', async () => {
      const topic = fresh('topic');
      const seen = await tables.turns.poke(topic, 0, 'me', 100);
      await tables.turns.takeOver(topic, 0, seen, 'you', 300);

      expect(await tables.turns.extend(topic, 0, 'me', 400)).toBe(false);
      expect(await tables.turns.save(topic, 0, 'me', { cursor: 9, epoch: 'e' }, 400)).toBe(false);
      expect(await tables.turns.release(topic, 0, 'me', { cursor: 9, epoch: 'e', toldAtMs: 1, nextAtMs: 60, pokes: null })).toBe('lost');
      expect(await tables.turns.extend(topic, 0, 'you', 500)).toBe(true);
      expect(await tables.turns.save(topic, 0, 'you', { cursor: 4, epoch: 'e' }, 600)).toBe(true);
      expect(await tables.turns.read(topic, 0)).toMatchObject({ holder: 'you', untilMs: 600, cursor: 4 });
    });
  });

  describe('audience', () => {
    test('tells who is there, without those who left or have expired', async () => {
      const topic = fresh('topic');
      await tables.audience.put(subscription(topic, 'a'), 10, later());
      await tables.audience.put(subscription(topic, 'b', { from: 3, late: true }), 10, later());
      await tables.audience.put(subscription(topic, 'gone'), 10, later());
      await tables.audience.end(key(topic, 'gone'), 20, later());
      await tables.audience.put(subscription(topic, 'old'), 10, tables.clock.now() - 1000);

      expect((await audienceOf(topic)).sort((x, y) => x.connectionId.localeCompare(y.connectionId))).toEqual([
        subscription(topic, 'a'),
        subscription(topic, 'b', { from: 3, late: true }),
      ]);
      expect(await tables.audience.find([key(topic, 'b'), key(topic, 'gone'), key(topic, 'nobody')])).toEqual([
        { ...subscription(topic, 'b', { from: 3, late: true }), ended: false },
        expect.objectContaining({ ended: true }),
        null,
      ]);
    });

    test('the later request wins, whatever order they are served in', async () => {
      const topic = fresh('topic');

      await tables.audience.end(key(topic, 'a'), 20, later());
      expect(await tables.audience.put(subscription(topic, 'a'), 10, later())).toBe('overtaken');
      expect(await tables.audience.put(subscription(topic, 'a'), 30, later())).toBe('replaced');
      expect(await tables.audience.end(key(topic, 'a'), 25, later())).toBe('overtaken');

      expect(await audienceOf(topic)).toHaveLength(1);
    });

    test('one that caught up is late no more, but only from where it was seen, and never backwards', async () => {
      const topic = fresh('topic');
      await tables.audience.put(subscription(topic, 'a', { from: 5, late: true, notBeforeMs: 9, strikes: 2 }), 10, later());

      await tables.audience.caughtUp(key(topic, 'a'), 4, 8);
      await tables.audience.caughtUp(key(topic, 'a'), 5, 3);
      expect(await member(topic, 'a')).toMatchObject({ from: 5, late: true });
      await tables.audience.caughtUp(key(topic, 'a'), 5, 8);

      expect(await member(topic, 'a')).toEqual(subscription(topic, 'a', { from: 8 }));
    });

    test('a late one that is throttled while it is caught up moves on, one that has moved meanwhile does not move back', async () => {
      const topic = fresh('topic');
      const seen = subscription(topic, 'a', { from: 5, late: true });
      await tables.audience.put(seen, 10, later());

      await tables.audience.passOver(seen, 8, { notBeforeMs: 77, strikes: 1 });
      expect(await member(topic, 'a')).toMatchObject({ from: 8, late: true, notBeforeMs: 77, strikes: 1 });
      await tables.audience.passOver(seen, 9, { notBeforeMs: 99, strikes: 2 });

      expect(await member(topic, 'a')).toMatchObject({ from: 8, notBeforeMs: 77 });
    });

    test('what came without a request gives way to every request, and takes the place of nothing', async () => {
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

      await tables.audience.passOver(subscription(topic, 'a', { from: 5 }), 3, { notBeforeMs: 77, strikes: 1 });
      await tables.audience.markLate(key(topic, 'a'), 4);
      expect(await member(topic, 'a')).toMatchObject({ from: 3, late: true, notBeforeMs: 77, strikes: 1 });
      await tables.audience.markLate(key(topic, 'a'), -1);
      await tables.audience.markLate(key(topic, 'nobody'), -1);

      expect(await member(topic, 'a')).toMatchObject({ from: -1 });
      expect(await audienceOf(topic)).toHaveLength(1);
      await tables.audience.remove(key(topic, 'a'));
      expect(await audienceOf(topic)).toEqual([]);
    });
  });

  describe('connections', () => {
    const opened = (connectionId: string): NewConnection => ({
      connectionId,
      clientId: `client of ${connectionId}`,
      dialect: 'json',
      connectedAtMs: 1_000_000,
      expiresAtMs: 9_000_000,
      sourceIp: '127.0.0.1',
      principal: null,
      admitted: true,
    });

    test('are counted as they open and close, each once', async () => {
      const [a, b] = [fresh('connection'), fresh('connection')];
      const before = (await tables.connections.counted()).count;

      await tables.connections.open(opened(a));
      expect(await tables.connections.open(opened(b))).toBe(before + 2);
      expect(await tables.connections.close(a)).toMatchObject({ connectionId: a, clientId: `client of ${a}`, connectedAtMs: 1_000_000 });
      expect(await tables.connections.close(a)).toBeNull();

      expect((await tables.connections.counted()).count).toBe(before + 1);
    });

    test('the first touch greets, and the greeting is claimed once', async () => {
      const [a, b] = [fresh('connection'), fresh('connection')];
      await tables.connections.open(opened(a));
      await tables.connections.open(opened(b));

      expect(
        await tables.connections.touch(a, { atMs: 5_000, nowMs: 5_000, pong: false, subscribes: 0, weight: 1, pace: null }),
      ).toMatchObject({
        greet: true,
        connection: { greetedAtMs: 5_000, touchedAtMs: 5_000 },
      });
      expect(
        await tables.connections.touch(a, { atMs: 5_001, nowMs: 5_001, pong: false, subscribes: 0, weight: 1, pace: null }),
      ).toMatchObject({
        greet: false,
        connection: { greetedAtMs: 5_000 },
      });
      expect(await tables.connections.claimGreeting(a, 6_000)).toBeNull();
      expect(await tables.connections.claimGreeting(b, 6_000)).toMatchObject({ connectionId: b, greetedAtMs: 6_000 });
      expect(
        await tables.connections.touch(b, { atMs: 7_000, nowMs: 7_000, pong: false, subscribes: 0, weight: 1, pace: null }),
      ).toMatchObject({
        greet: false,
      });
      expect(await tables.connections.claimGreeting(fresh('nobody'), 6_000)).toBeNull();
    });

    test('a touch of one that is gone is null, and does not bring it back', async () => {
      const a = fresh('connection');

      expect(await tables.connections.touch(a, { atMs: 1, nowMs: 1, pong: false, subscribes: 0, weight: 1, pace: null })).toBeNull();
      expect(await tables.connections.close(a)).toBeNull();
    });

    test('messages are counted by second, also when a second of the same remainder was busy before', async () => {
      const a = fresh('connection');
      await tables.connections.open(opened(a));
      const touch = (atMs: number) => tables.connections.touch(a, { atMs, nowMs: atMs, pong: false, subscribes: 1, weight: 1, pace: null });

      for (let index = 0; index < 15; index++) await touch(100_000 + index);
      expect(await touch(100_500)).toMatchObject({ inThisSecond: 16, tooFast: false, subscribes: 16 });
      expect(await touch(101_000)).toMatchObject({ inThisSecond: 1 });
      expect(await touch(101_100)).toMatchObject({ inThisSecond: 2 });
      for (let index = 0; index < 12; index++) await touch(104_000 + index);
      expect(await touch(108_000)).toMatchObject({ inThisSecond: 1 });
      expect(await touch(108_001)).toMatchObject({ inThisSecond: 2 });
    });

    test('messages with a pace are too fast where the one so many before came within a second, and then leave no trace', async () => {
      const a = fresh('connection');
      await tables.connections.open(opened(a));
      const touch = async (atMs: number, pace: number | null = 3) =>
        (await tables.connections.touch(a, { atMs, nowMs: atMs, pong: false, subscribes: 1, weight: 1, pace }))?.tooFast;

      const first = [await touch(100_000), await touch(100_100), await touch(100_200), await touch(100_300), await touch(100_999)];
      const between = await touch(100_999, null);
      const then = [await touch(101_000), await touch(101_050), await touch(101_100), await touch(101_201), await touch(101_202)];

      expect(first).toEqual([false, false, false, true, true]);
      expect(between).toBe(false);
      expect(then).toEqual([false, true, false, false, true]);
      expect(await touch(200_000)).toBe(false);
      expect(
        (await tables.connections.touch(a, { atMs: 1, nowMs: 1, pong: false, subscribes: 0, weight: 1, pace: null }))?.subscribes,
      ).toBe(8);
    });

    test('announce themselves: told all broadcasts until they choose, and what they say of themselves goes when they go', async () => {
      const [a, b] = [fresh('connection'), fresh('connection')];
      await tables.connections.open(opened(a));
      await tables.connections.open(opened(b));
      const said = { clientId: 'dashboard', info: { language: 'ko' } };

      expect(await tables.connections.announce(a, said, 'all', later())).toEqual({ announced: 'dashboard', broadcasts: 'all' });
      expect(await tables.connections.announce(a, { ...said, clientId: 'another' }, 'chosen', later())).toEqual({
        announced: 'dashboard',
        broadcasts: 'all',
      });
      expect(await tables.connections.read(a)).toMatchObject({ announced: 'dashboard', broadcasts: 'all' });
      expect(await tables.connections.chooseUnlessAll(a)).toBe(false);
      await tables.connections.choose(a);
      expect(await tables.connections.chooseUnlessAll(a)).toBe(true);
      expect(await tables.connections.announce(a, said, 'all', later())).toMatchObject({ broadcasts: 'chosen' });
      expect(await tables.connections.chooseUnlessAll(b)).toBe(true);
      expect(await tables.connections.announce(b, said, 'all', later())).toMatchObject({ broadcasts: 'chosen' });
      expect(await tables.connections.announce(fresh('nobody'), said, 'all', later())).toBeNull();
      expect(await tables.connections.chooseUnlessAll(fresh('nobody'))).toBe(false);
      await tables.connections.choose(fresh('nobody'));

      expect(await tables.connections.close(a)).toMatchObject({ announced: 'dashboard' });
      expect(await tables.connections.read(a)).toBeNull();
    });

    test('note when the first of them came', async () => {
      await tables.connections.open(opened(fresh('connection')));
      const { sinceMs } = await tables.connections.counted();
      await tables.connections.open(opened(fresh('connection')));
      await tables.connections.setCount(1);

      expect(sinceMs).toBeGreaterThan(0);
      expect(await tables.connections.counted()).toEqual({ count: 1, sinceMs });
    });

    test('keep the names of their subscriptions', async () => {
      const a = fresh('connection');
      await tables.connections.open(opened(a));
      await tables.connections.addSubscription(a, key('/topic/with#hash', a), 5, later());
      await tables.connections.addSubscription(a, key('price:005930', a), 6, later());
      await tables.connections.removeSubscription(a, key('price:005930', a));

      expect(await tables.connections.subscriptions(a)).toEqual([{ ...key('/topic/with#hash', a), unasked: false }]);
      await tables.connections.resetSubscribes(a, 1);
      expect(await tables.connections.touch(a, { atMs: 1, nowMs: 1, pong: true, subscribes: 2, weight: 1, pace: null })).toMatchObject({
        subscribes: 3,
      });
    });

    test('the name of an unasked one replaces none that was asked for, and is taken back alone', async () => {
      const a = fresh('connection');
      await tables.connections.open(opened(a));
      const names = async () => (await tables.connections.subscriptions(a)).map(({ topic, unasked }) => `${topic} ${unasked}`).sort();
      await tables.connections.addSubscription(a, key('asked', a), 5, later());
      for (const topic of ['asked', 'unasked']) await tables.connections.addSubscription(a, key(topic, a), 6, later(), true);
      expect(await names()).toEqual(['asked false', 'unasked true']);

      for (const topic of ['asked', 'unasked']) await tables.connections.removeSubscription(a, key(topic, a), 'unasked');
      await tables.connections.removeSubscription(a, key('asked', a), { askedBy: 4 });
      expect(await names()).toEqual(['asked false']);
      await tables.connections.removeSubscription(a, key('asked', a), { askedBy: 5 });
      expect(await names()).toEqual([]);
    });

    test('are all found by the scan, with what they subscribe to and when they were pinged and told', async () => {
      const a = fresh('connection');
      await tables.connections.open(opened(a));
      await tables.connections.addSubscription(a, key('price:1', a), 6, later());
      await tables.connections.pinged(a, 11);
      await tables.connections.told(a, 12);
      await tables.connections.pinged(fresh('nobody'), 11);

      const found = [];
      for (let segment = 0; segment < 3; segment++) for await (const page of tables.connections.scan(segment, 3)) found.push(...page);

      expect(found).toContainEqual({
        kind: 'connection',
        connection: expect.objectContaining({ connectionId: a, pingedAtMs: 11, toldAtMs: 12, expiresAtMs: 9_000_000 }),
      });
      expect(found).toContainEqual({ kind: 'subscription', key: key('price:1', a), atMs: 6 });
      expect(found.filter((one) => one.kind === 'connection' && one.connection.connectionId.startsWith('nobody'))).toEqual([]);
    });
  });

  describe('clients', () => {
    const one = (connectedAtMs: number) => ({ connectionId: fresh('connection'), connectedAtMs });

    test('know their connections until they leave, or can be there no longer', async () => {
      const client = fresh('user#somebody#');
      const [a, b] = [one(1_000), one(2_000)];
      const names = async (member: typeof a, nowMs: number) =>
        (await tables.clients.enter(client, member, nowMs)).map(({ connectionId }) => connectionId).sort();

      expect(await tables.clients.enter(client, a, 1_000)).toEqual([a]);
      expect(await names(b, 2_000)).toEqual([a.connectionId, b.connectionId].sort());
      expect(await names(b, 2_000)).toHaveLength(2);
      await tables.clients.leave(client, a);
      await tables.clients.leave(client, a);
      expect(await names(b, 3_000)).toEqual([b.connectionId]);
      await tables.clients.leave(client, b);
      await tables.clients.leave(fresh('nobody'), b);

      const later = one(9_000_000);
      await tables.clients.enter(client, a, 1_000);
      expect(await tables.clients.enter(client, later, 9_000_000)).toEqual([later]);
    });
  });

  describe('catalogue', () => {
    test('lists topics, and keeps a name until another is given', async () => {
      const channel = fresh('channel');
      await tables.catalogue.list(channel, [
        { topic: 'price:A', name: 'A' },
        { topic: 'price:B', name: null },
      ]);
      await tables.catalogue.list(channel, [
        { topic: 'price:A', name: null },
        { topic: 'price:B', name: 'B' },
      ]);

      expect(await tables.catalogue.topics(channel)).toEqual([
        { topic: 'price:A', name: 'A' },
        { topic: 'price:B', name: 'B' },
      ]);
      expect(await tables.catalogue.names(channel, ['price:B', 'price:C'])).toEqual(new Map([['price:B', 'B']]));
    });

    test('a heard topic is removed only if it was not added again', async () => {
      const topic = fresh('topic');
      await tables.catalogue.addHeard(topic, 1);
      await tables.catalogue.addHeard(topic, 2);

      await tables.catalogue.removeHeard(topic, 1);
      expect(await tables.catalogue.heard()).toContainEqual({ topic, atMs: 2, leaving: false });
      await tables.catalogue.removeHeard(topic, 2);

      expect((await tables.catalogue.heard()).filter((one) => one.topic === topic)).toEqual([]);
    });

    test('keeps what the watchers last saw, and an id’s first acceptance', async () => {
      const name = fresh('status');
      expect(await tables.catalogue.status(name)).toBeNull();
      await tables.catalogue.saveStatus(name, { state: 'live' });

      expect(await tables.catalogue.status(name)).toEqual({ state: 'live' });
      const accept = (acceptedAtMs: number, index: number) => tables.catalogue.firstAcceptance(`id of ${name}`, { acceptedAtMs, index });
      expect(await accept(1_000, 4)).toEqual({ acceptedAtMs: 1_000, index: 4 });
      expect(await accept(2_000, 7)).toEqual({ acceptedAtMs: 1_000, index: 4 });
      expect(await accept(86_500_000, 9)).toEqual({ acceptedAtMs: 86_500_000, index: 9 });
    });
  });

  describe('registrations', () => {
    const at = (offset: number, stamp = 's') => ({ position: { epoch: 'e', offset }, stamp });

    test('stay where they were first made, under the newest stamp, and never lapse sooner', async () => {
      const topic = fresh('topic');
      const now = tables.clock.now();

      await tables.registrations.register(topic, at(3, 'first'), now + 10_000);
      await tables.registrations.register(topic, at(9, 'second'), now + 60_000);
      expect(await tables.registrations.find(topic)).toEqual(at(3, 'second'));
      await tables.registrations.register(topic, at(10, 'third'), now + 20_000);
      tables.clock.nowMs = now + 30_000;
      expect(await tables.registrations.find(topic)).toEqual(at(3, 'second'));
      tables.clock.nowMs = now + 61_000;
      expect(await tables.registrations.find(topic)).toBeNull();
      await tables.registrations.register(topic, at(12), now + 90_000);

      expect(await tables.registrations.find(topic)).toEqual(at(12));
      tables.clock.nowMs = now;
    });

    test('are used up by their stamp, and removed by whichever', async () => {
      const topic = fresh('topic');
      await tables.registrations.register(topic, at(3, 'first'), later());

      await tables.registrations.useUp(topic, 'another');
      expect(await tables.registrations.find(topic)).toEqual(at(3, 'first'));
      await tables.registrations.useUp(topic, 'first');
      expect(await tables.registrations.find(topic)).toBeNull();
      await tables.registrations.register(topic, at(4, 'second'), later());
      await tables.registrations.remove(topic);
      await tables.registrations.remove(topic);

      expect(await tables.registrations.find(topic)).toBeNull();
    });
  });

  describe('event ids', () => {
    test('keep their base for a day, and are new again after it', async () => {
      const topic = fresh('topic');
      const now = tables.clock.now();

      expect(await tables.topics.eventBase(topic, 'e', 4)).toBe(4);
      expect(await tables.topics.eventBase(topic, 'e', 9)).toBe(4);
      tables.clock.nowMs = now + 25 * 3_600_000;
      expect(await tables.topics.eventBase(topic, 'e', 9)).toBe(9);
      expect(await tables.topics.eventBase(topic, 'e', 12)).toBe(9);

      tables.clock.nowMs = now;
    });
  });

  describe('STOMP', () => {
    test('a connection is read with who it is, and admitted in its dialect', async () => {
      const a = fresh('connection');
      expect(await tables.connections.read(a)).toBeNull();
      expect(await tables.connections.admit(a, { dialect: 'stomp-1.1', principal: null })).toBe(false);
      const principal = { userId: '100', roles: ['ops:read'] };
      await tables.connections.open({
        connectionId: a,
        clientId: 'c',
        dialect: 'stomp-1.2',
        connectedAtMs: 1,
        expiresAtMs: 9_000_000,
        sourceIp: '',
        principal: null,
        admitted: false,
      });

      expect(await tables.connections.read(a)).toMatchObject({ dialect: 'stomp-1.2', principal: null, admitted: false });
      expect(await tables.connections.admit(a, { dialect: 'stomp-1.1', principal })).toBe(true);
      expect(await tables.connections.admit(a, { dialect: 'stomp-1.0', principal: { userId: '200', roles: [] } })).toBe(false);
      expect(await tables.connections.read(a)).toMatchObject({ dialect: 'stomp-1.1', principal, admitted: true });
    });

    test("subscriptions are found by the client's own id, whatever it is made of", async () => {
      const a = fresh('connection');
      for (const subscriptionId of ['x', 'x#y', 'é/ #', '']) {
        await tables.connections.addSubscription(a, { topic: 't#u', shard: 0, connectionId: a, subscriptionId }, 1, later());
      }

      for (const subscriptionId of ['x', 'x#y', 'é/ #', '']) {
        expect(await tables.connections.subscriptions(a, subscriptionId)).toEqual([
          { topic: 't#u', shard: 0, connectionId: a, subscriptionId, unasked: false },
        ]);
      }
      expect(await tables.connections.subscriptions(a)).toHaveLength(4);
    });

    test("a client's own id is claimed for one subscription, until that is gone; without one there is one a topic", async () => {
      const a = fresh('connection');
      const own = (subscriptionId: string, topic: string) => ({ topic, shard: 0, connectionId: a, subscriptionId });
      const claim = (subscriptionId: string, topic: string) =>
        tables.connections.claimSubscription(a, own(subscriptionId, topic), 1, later());

      expect(await claim('x', 't')).toBe(true);
      expect(await claim('x', 't')).toBe(false);
      expect(await claim('x', 'u')).toBe(false);
      expect(await claim('y', 't')).toBe(true);
      expect(await claim('', 't')).toBe(true);
      expect(await claim('', 'u')).toBe(true);
      expect(await claim('', 'u')).toBe(false);
      await tables.connections.removeSubscription(a, own('x', 't'));

      expect(await claim('x', 'u')).toBe(true);
      expect(await tables.connections.subscriptions(a, 'x')).toEqual([{ ...own('x', 'u'), unasked: false }]);
    });

    test('a late one moves on as it is told, unless it was marked again meanwhile; its registration can be forgotten', async () => {
      const topic = fresh('topic');
      await tables.audience.put(subscription(topic, 'a', { from: 5, late: true, registration: 's' }), 10, later());

      expect(await tables.audience.advance(key(topic, 'a'), 4, 9)).toBe(false);
      expect(await tables.audience.advance(key(topic, 'a'), 5, 9)).toBe(true);
      await tables.audience.forgetRegistration(key(topic, 'a'));
      await tables.audience.forgetRegistration(key(topic, 'nobody'));

      expect(await member(topic, 'a')).toMatchObject({ from: 9, late: true, registration: null });
    });

    test('a topic is created at 0, once, and heard by nobody', async () => {
      const topic = fresh('topic');
      const made = await tables.topics.create(topic);

      expect(made).toMatchObject({ head: 0, heard: false });
      expect(await tables.topics.create(topic)).toMatchObject({ epoch: made.epoch });
    });
  });
});

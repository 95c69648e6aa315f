import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh, stateCommit } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

/** Later than every order. */
const NO_LIMIT = '~';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());

  test('a commit makes the topic, and each newer one raises the head by one', async () => {
    const topic = fresh('topic');

    const first = await tables.topics.commitState(stateCommit(topic, 'a'), NO_LIMIT);
    const second = await tables.topics.commitState(stateCommit(topic, 'b'), NO_LIMIT);

    expect(first).toMatchObject({ changed: true, state: { head: 1, parts: { price: { order: 'a' } }, heard: false } });
    expect(second).toMatchObject({
      changed: true,
      state: { head: 2, epoch: first.state.epoch, parts: { price: { order: 'b' } }, notes: { recent: ['point-a', 'point-b'] } },
    });
  });

  test('the same or an older order changes nothing, and the state is returned all the same', async () => {
    const topic = fresh('topic');
    await tables.topics.commitState(stateCommit(topic, 'b'), NO_LIMIT);

    expect(await tables.topics.commitState(stateCommit(topic, 'b', { value: { other: 1 } }), NO_LIMIT)).toMatchObject({
      changed: false,
      state: { head: 1, parts: { price: { order: 'b' } } },
    });
    expect(await tables.topics.commitState(stateCommit(topic, 'a'), NO_LIMIT)).toMatchObject({ changed: false, state: { head: 1 } });
  });

  test('a topic without messages is forgotten with its last subscriber, unless it is heard again', async () => {
    const [empty, again, written] = [fresh('empty'), fresh('again'), fresh('written')];
    for (const topic of [empty, again, written]) await tables.topics.hear(topic);
    await tables.topics.commitState(stateCommit(written, 'a'), NO_LIMIT);
    for (const topic of [empty, again, written]) await tables.topics.unhear(topic, 's');
    await tables.topics.hear(again);
    for (const topic of [empty, again, written]) await tables.topics.desert(topic, 's');

    expect([...(await tables.topics.read([empty, again, written])).keys()].sort()).toEqual([again, written].sort());
  });

  test('an order later than the latest that can be true gives way, and is made again only if it is believed', async () => {
    const topic = fresh('topic');
    await tables.topics.commitState(stateCommit(topic, '2099'), NO_LIMIT);

    expect(await tables.topics.commitState(stateCommit(topic, '2026'), '2027')).toMatchObject({ changed: true, state: { head: 2 } });
    expect(await tables.topics.commitState(stateCommit(topic, '2025'), '2027')).toMatchObject({ changed: false });
  });

  test('parts are newest-wins each on its own', async () => {
    const topic = fresh('topic');
    await tables.topics.commitState(stateCommit(topic, 'z'), NO_LIMIT);

    const { changed, state } = await tables.topics.commitState(
      stateCommit(topic, 'a', { part: 'halt', append: {}, value: { halted: true } }),
      NO_LIMIT,
    );

    expect(changed).toBe(true);
    expect(state.parts).toEqual({ price: { order: 'z' }, halt: { halted: true } });
  });

  test('hearing makes the topic at offset 0 and keeps its epoch; unhearing takes only that back', async () => {
    const topic = fresh('topic');

    const heard = await tables.topics.hear(topic);
    await tables.topics.commitState(stateCommit(topic, 'a'), NO_LIMIT);
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

  test('notes are set only if no message was committed since', async () => {
    const topic = fresh('topic');
    await tables.topics.commitState(stateCommit(topic, 'a'), NO_LIMIT);
    const { state: seen } = await tables.topics.commitState(stateCommit(topic, 'b'), NO_LIMIT);
    await tables.topics.commitState(stateCommit(topic, 'c'), NO_LIMIT);

    await tables.topics.note(seen, { recent: ['thin'] });
    const kept = (await tables.topics.read([topic])).get(topic);
    await tables.topics.note(kept as typeof seen, { recent: ['thin'] });

    expect(kept?.notes['recent']).toHaveLength(3);
    expect((await tables.topics.read([topic])).get(topic)?.notes).toEqual({ recent: ['thin'] });
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

  test('keeps the head at which the listeners arrived, until nobody was there', async () => {
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

  test('reads a log after an offset, in order, up to a limit, without what has expired', async () => {
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

  test('a topic is created at 0, once, and unheard', async () => {
    const topic = fresh('topic');
    const made = await tables.topics.create(topic);

    expect(made).toMatchObject({ head: 0, heard: false });
    expect(await tables.topics.create(topic)).toMatchObject({ epoch: made.epoch });
  });
});

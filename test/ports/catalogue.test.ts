import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());

  test('lists topics, and keeps a name until another is given', async () => {
    const channel = fresh('channel');
    await tables.catalogue.list(channel, [{ topic: 'price:A', name: 'A' }]);
    await tables.catalogue.listNew(channel, ['price:A', 'price:B']);
    await tables.catalogue.list(channel, [
      { topic: 'price:B', name: 'first' },
      { topic: 'price:B', name: 'second' },
    ]);
    await tables.catalogue.list(channel, [{ topic: 'price:B', name: 'B' }]);
    await tables.catalogue.listNew(channel, ['price:B', 'price:B']);

    await tables.replicated();
    expect(await tables.catalogue.topics(channel)).toEqual([
      { topic: 'price:A', name: 'A' },
      { topic: 'price:B', name: 'B' },
    ]);
    await tables.replicated();
    expect(await tables.catalogue.names(channel, ['price:B', 'price:C'])).toEqual(new Map([['price:B', 'B']]));
  });

  test('lists many topics at once, and all of them', async () => {
    const channel = fresh('channel');
    const topics = Array.from({ length: 260 }, (_, index) => `price:${String(index).padStart(6, '0')}`);
    await tables.catalogue.listNew(channel, topics.slice(0, 30));
    await tables.catalogue.listNew(channel, topics);

    await tables.replicated();
    expect(await tables.catalogue.topics(channel)).toEqual(topics.map((topic) => ({ topic, name: null })));
  });

  test('a heard topic is removed only if it was not added again', async () => {
    const topic = fresh('topic');
    await tables.catalogue.addHeard(topic, 1);
    await tables.catalogue.addHeard(topic, 2);

    await tables.catalogue.removeHeard(topic, 1);
    await tables.replicated();
    expect(await tables.catalogue.heard()).toContainEqual({ topic, atMs: 2, leaving: false });
    await tables.catalogue.removeHeard(topic, 2);

    await tables.replicated();
    expect((await tables.catalogue.heard()).filter((one) => one.topic === topic)).toEqual([]);
  });

  test('keeps what the looks last saw, and an id’s first acceptance', async () => {
    const name = fresh('status');
    expect(await tables.catalogue.status(name)).toBeNull();
    await tables.catalogue.saveStatus(name, { state: 'live' });

    await tables.replicated();
    expect(await tables.catalogue.status(name)).toEqual({ state: 'live' });
    const accept = (acceptedAtMs: number, index: number) => tables.catalogue.firstAcceptance(`id of ${name}`, { acceptedAtMs, index });
    expect(await accept(1_000, 4)).toEqual({ acceptedAtMs: 1_000, index: 4 });
    expect(await accept(2_000, 7)).toEqual({ acceptedAtMs: 1_000, index: 4 });
    expect(await accept(86_500_000, 9)).toEqual({ acceptedAtMs: 86_500_000, index: 9 });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fresh } from './fixtures.ts';
import { implementations, type Tables } from './implementations.ts';

describe.each(implementations)('%s', (_, make) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await make();
  });
  afterAll(() => tables.stop());

  test('a free turn is taken by the first poke; others only poke', async () => {
    const topic = fresh('topic');

    expect(await tables.turns.poke(topic, 0, 'me', 100)).toMatchObject({
      holder: 'me',
      untilMs: 100,
      pokes: 1,
      cursor: 0,
      deliveredAtMs: 0,
    });
    expect(await tables.turns.poke(topic, 0, 'you', 200)).toMatchObject({ holder: 'me', untilMs: 100, pokes: 2 });
  });

  test('an expired turn is taken over by one of two', async () => {
    const topic = fresh('topic');
    const seen = await tables.turns.poke(topic, 0, 'dead', 100);

    expect(await tables.turns.takeOver(topic, 0, seen, 'me', 300)).toMatchObject({ holder: 'me', untilMs: 300 });
    expect(await tables.turns.takeOver(topic, 0, seen, 'you', 300)).toBeNull();
  });

  test('a release advances the cursor unless it was poked since', async () => {
    const topic = fresh('topic');
    const { pokes } = await tables.turns.poke(topic, 0, 'me', 100);
    await tables.turns.poke(topic, 0, 'you', 100);

    expect(await tables.turns.release(topic, 0, 'me', { cursor: 7, epoch: 'e', deliveredAtMs: 50, nextAtMs: 60, pokes })).toBe('poked');
    expect(await tables.turns.read(topic, 0)).toMatchObject({ holder: 'me', cursor: 0 });
    expect(await tables.turns.release(topic, 0, 'me', { cursor: 7, epoch: 'e', deliveredAtMs: 50, nextAtMs: 60, pokes: pokes + 1 })).toBe(
      'released',
    );
    expect(await tables.turns.read(topic, 0)).toMatchObject({ holder: '', cursor: 7, deliveredAtMs: 50, nextAtMs: 60 });
  });

  test('a release that hands on holds in spite of pokes', async () => {
    const topic = fresh('topic');
    await tables.turns.poke(topic, 0, 'me', 100);
    await tables.turns.poke(topic, 0, 'you', 100);

    expect(await tables.turns.release(topic, 0, 'me', { cursor: 7, epoch: 'e', deliveredAtMs: 50, nextAtMs: 60, pokes: null })).toBe(
      'released',
    );
  });

  test('a worker that lost the turn can neither extend, nor save, nor release', async () => {
    const topic = fresh('topic');
    const seen = await tables.turns.poke(topic, 0, 'me', 100);
    await tables.turns.takeOver(topic, 0, seen, 'you', 300);

    expect(await tables.turns.extend(topic, 0, 'me', 400)).toBe(false);
    expect(await tables.turns.save(topic, 0, 'me', { cursor: 9, epoch: 'e' }, 400)).toBe(false);
    expect(await tables.turns.release(topic, 0, 'me', { cursor: 9, epoch: 'e', deliveredAtMs: 1, nextAtMs: 60, pokes: null })).toBe('lost');
    expect(await tables.turns.extend(topic, 0, 'you', 500)).toBe(true);
    expect(await tables.turns.save(topic, 0, 'you', { cursor: 4, epoch: 'e' }, 600)).toBe(true);
    expect(await tables.turns.read(topic, 0)).toMatchObject({ holder: 'you', untilMs: 600, cursor: 4 });
  });
});

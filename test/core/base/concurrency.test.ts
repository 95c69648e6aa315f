import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bounded, chunksOf, readAhead } from '../../../core/base/concurrency.ts';

/** Work that ends on command. */
function gates() {
  const open = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>();
  const started: number[] = [];
  const work = (item: number): Promise<void> => {
    started.push(item);
    return new Promise((resolve, reject) => {
      open.set(item, { resolve, reject });
    });
  };
  return {
    started,
    work,
    end: (item: number) => open.get(item)?.resolve(),
    fail: (item: number, error: unknown) => open.get(item)?.reject(error),
  };
}
const settled = () => new Promise<void>((done) => setImmediate(done));

test('at most the limit is in flight, and the next starts when one ends', async () => {
  const { started, work, end } = gates();

  const all = bounded([1, 2, 3, 4], 2, work);
  await settled();
  expect(started).toEqual([1, 2]);
  end(2);
  await settled();
  expect(started).toEqual([1, 2, 3]);
  for (const item of [1, 3]) end(item);
  await settled();
  end(4);
  await all;

  expect(started).toEqual([1, 2, 3, 4]);
});

test('after a failure nothing new starts, and what is in flight ends before the failure is thrown', async () => {
  const { started, work, fail } = gates();
  let outcome: unknown = 'pending';
  bounded([1, 2, 3, 4], 2, work).then(
    () => {
      outcome = 'done';
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  await settled();

  fail(1, 'the first failure');
  await settled();
  expect(outcome).toBe('pending');
  fail(2, 'another failure');
  await settled();

  expect(outcome).toBe('the first failure');
  expect(started).toEqual([1, 2]);
});

test('a single failure is thrown', async () => {
  await expect(bounded([1], 2, () => Promise.reject(new Error('the only failure')))).rejects.toThrow('the only failure');
});

test('nothing to do is done at once', async () => {
  const { started, work } = gates();

  await bounded([], 3, work);

  expect(started).toEqual([]);
});

test('every item is worked on once, whatever the limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat()), fc.integer({ min: 1, max: 9 }), async (items, limit) => {
      const seen: number[] = [];

      await bounded(items, limit, async (item) => void seen.push(item));

      expect(seen).toEqual(items);
    }),
  );
});

test('an item is fetched while the one before it is worked on', async () => {
  const steps: string[] = [];
  const source = async function* () {
    for (const item of [1, 2, 3]) {
      steps.push(`fetch ${item}`);
      yield item;
    }
  };

  for await (const item of readAhead(source())) {
    await settled();
    steps.push(`work ${item}`);
  }

  expect(steps).toEqual(['fetch 1', 'fetch 2', 'work 1', 'fetch 3', 'work 2', 'work 3']);
});

test('a failure of the source is thrown after the items before it', async () => {
  const source = async function* () {
    yield 1;
    throw new Error('the source is broken');
  };
  const items: number[] = [];
  const all = async () => {
    for await (const item of readAhead(source())) items.push(item);
  };

  await expect(all()).rejects.toThrow('the source is broken');

  expect(items).toEqual([1]);
});

test('a loop that is left early is not ended by the failure of an item it never asks for', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const source = async function* () {
    yield 1;
    throw new Error('too late to matter');
  };

  for await (const _ of readAhead(source())) break;
  await settled();
  process.off('unhandledRejection', note);

  expect(unhandled).toEqual([]);
});

test('chunks hold all items in order, and only the last is smaller than the others', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 10 }), (items, size) => {
      const chunks = chunksOf(items, size);

      expect(chunks.flat()).toEqual(items);
      expect(chunks.slice(0, -1).every(({ length }) => length === size)).toBe(true);
      expect(chunks.every(({ length }) => length > 0 && length <= size)).toBe(true);
    }),
  );
});

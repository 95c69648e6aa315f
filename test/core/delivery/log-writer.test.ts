import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { openLog } from '../../../core/delivery/log-writer.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const TOPIC = 'log';
let ports: MemoryPorts;
let requests: string[];
beforeEach(() => {
  ports = memoryPorts();
  requests = [];
  const { putLog, readLog } = ports.topics;
  ports.topics.putLog = (...parameters) => {
    requests.push(`put ${parameters[1]}`);
    return putLog(...parameters);
  };
  ports.topics.readLog = (...parameters) => {
    requests.push(`read after ${parameters[1]}`);
    return readLog(...parameters);
  };
});
const stored = async (): Promise<[number, string][]> =>
  (await ports.topics.readLog(TOPIC, 0, 1_000)).map(({ offset, eventId }) => [offset, eventId]);
/** Other writers' items. */
const taken = async (from: number, to: number): Promise<void> => {
  for (let offset = from; offset <= to; offset++) await ports.topics.putLog(TOPIC, offset, `other${offset}`, {});
  requests = [];
};

test('events stand one after another, and the head is raised once, to the last', async () => {
  const log = await openLog(TOPIC, ports.topics);
  await log.append('a', { n: 1 });
  await log.append('b', { n: 2 });
  const state = await log.finish();

  expect(requests).toEqual(['put 1', 'put 2']);
  expect(await stored()).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
  expect(state.head).toBe(2);
  expect((await ports.topics.readLog(TOPIC, 0, 1))[0]?.value).toEqual({ n: 1 });
});

test('a writer begins after the head', async () => {
  await taken(1, 4);
  await ports.topics.raiseHead(TOPIC, 4);
  const log = await openLog(TOPIC, ports.topics);
  await log.append('a', {});

  expect(requests).toEqual(['put 5']);
});

test('an event that comes again keeps its offset, and what it said first', async () => {
  for (const value of [{ n: 1 }, { n: 2 }]) {
    const log = await openLog(TOPIC, ports.topics);
    await log.append('a', value);
    await log.append('b', {});
    await log.finish();
  }

  expect(await stored()).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
  expect((await ports.topics.readLog(TOPIC, 0, 1))[0]?.value).toEqual({ n: 1 });
});

test('an event that comes again beside a new one does not lower the head', async () => {
  const log = await openLog(TOPIC, ports.topics);
  for (const eventId of ['a', 'b', 'c']) await log.append(eventId, {});
  const again = await openLog(TOPIC, ports.topics);
  await again.append('c', {});
  await again.append('a', {});

  expect((await again.finish()).head).toBe(3);
});

test('a taken offset costs one read, which looks past all that other writers put', async () => {
  const log = await openLog(TOPIC, ports.topics);
  await taken(1, 60);
  await log.append('a', {});

  expect(requests).toEqual(['put 1', 'read after 1', 'put 61']);
});

test('more taken offsets than one read shows are looked past by several', async () => {
  const log = await openLog(TOPIC, ports.topics);
  await taken(1, 150);
  await log.append('a', {});

  expect(requests).toEqual(['put 1', 'read after 1', 'put 102', 'read after 102', 'put 151']);
});

test('the first free offset is taken, also if more stands after it', async () => {
  const log = await openLog(TOPIC, ports.topics);
  await taken(1, 3);
  await taken(5, 6);
  await log.append('a', {});

  expect(requests).toEqual(['put 1', 'read after 1', 'put 4']);
});

test('an event whose item stands behind those of other writers is found there', async () => {
  const log = await openLog(TOPIC, ports.topics);
  await taken(1, 3);
  await log.append('a', {});
  await taken(5, 6);
  const again = await openLog(TOPIC, ports.topics);

  await again.append('a', {});

  expect(requests).toEqual(['put 1', 'read after 1']);
  expect((await again.finish()).head).toBe(4);
});

test('each event stands once and without gaps, however often and in whichever batch it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 6 }), { maxLength: 6 }), async (batches) => {
      const { topics } = memoryPorts();
      // all look at the head before any of them writes
      const writers = await Promise.all(batches.map(() => openLog(TOPIC, topics)));
      for (const [index, writer] of writers.entries()) for (const eventId of batches[index] ?? []) await writer.append(eventId, {});

      const all = await topics.readLog(TOPIC, 0, 1_000);
      expect(all.map(({ eventId }) => eventId)).toEqual([...new Set(batches.flat())]);
      expect(all.map(({ offset }) => offset)).toEqual(all.map((_, index) => index + 1));
    }),
  );
});

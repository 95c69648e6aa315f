import { beforeEach, describe, expect, test } from 'vitest';
import { defineSystem, type Worker } from '../../../core/channels/system.ts';
import { doWork, workerNamed } from '../../../core/channels/worker.ts';
import { METRIC } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

let ports: MemoryPorts & Parameters<Worker['serve']>[1];
beforeEach(() => {
  const lane = { send: async () => [] };
  ports = { ...memoryPorts(), lanes: { bus: lane, direct: lane } };
});
const worker = (serve: Worker['serve']): Worker => ({ timeoutSeconds: 10, uses: [], serve });

describe('a worker', () => {
  const [sums, mails] = [worker(async () => undefined), worker(async () => undefined)];
  const systems = [
    defineSystem({ name: 'none' }),
    defineSystem({ name: 'a', workers: { sums } }),
    defineSystem({ name: 'b', workers: { mails } }),
  ];

  test('is found by its name, in whichever system it is', () => {
    expect(workerNamed('sums', systems)).toBe(sums);
    expect(workerNamed('mails', systems)).toBe(mails);
  });

  test('that no system has is an error, also with the name of an inherited property', () => {
    for (const name of ['nobody', 'constructor']) expect(() => workerNamed(name, systems)).toThrow(`no system has a worker ${name}`);
  });
});

test('of several pieces of work only those that failed come back, each reported and counted', async () => {
  const done: unknown[] = [];
  const picky = worker(async (work) => {
    if ((work as { n: number }).n < 0) throw new Error('no roots of that');
    done.push(work);
  });

  const failed = await doWork(
    [
      { id: 'r1', body: '{"n":1}' },
      { id: 'r2', body: '{"n":-1}' },
      { id: 'r3', body: 'no JSON' },
      { id: 'r4', body: '{"n":4}' },
    ],
    picky,
    ports,
  );

  expect(failed).toEqual(['r2']);
  expect(ports.deadLetters.buried).toEqual([{ body: 'no JSON', reason: 'not JSON' }]);
  expect(done).toEqual([{ n: 1 }, { n: 4 }]);
  expect(ports.report.counts.get(METRIC.errors)).toBe(2);
  expect(ports.report.lines).toContain('a worker failed, and its work comes back: Error: no roots of that');
});

test('nothing comes back if there is no work', async () => {
  expect(
    await doWork(
      [],
      worker(() => Promise.reject(new Error('this is never asked'))),
      ports,
    ),
  ).toEqual([]);
});

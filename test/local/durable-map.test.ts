import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { durableMap } from '../../local/resources/durable-map.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-map-'));
  file = join(folder, 'deep/queue.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const reopened = (): unknown[] => [...durableMap<number>(file).items];

test('keeps what was put and not removed, in order', () => {
  const map = durableMap<number>(file);
  for (const [key, item] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    map.put(key, item);
  map.remove('b');
  map.put('a', 4);

  expect(reopened()).toEqual([
    ['a', 4],
    ['c', 3],
  ]);
});

test('drops a last line that was cut off, and goes on after it', () => {
  durableMap<number>(file).put('a', 1);
  appendFileSync(file, '["b",');
  durableMap<number>(file).put('c', 3);

  expect(reopened()).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test('names a line in the middle that cannot be read', () => {
  durableMap<number>(file);
  writeFileSync(file, '["a",1]\nnonsense\n');

  expect(reopened).toThrow(`${file}: line 2 cannot be read`);
});

test('does not grow with what is gone', () => {
  const map = durableMap<number>(file);
  map.put('first', 0);
  for (let index = 0; index < 30_000; index++) {
    map.put(`key ${index}`, index);
    map.remove(`key ${index}`);
  }

  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(10_010);
  expect(reopened()).toEqual([['first', 0]]);
});

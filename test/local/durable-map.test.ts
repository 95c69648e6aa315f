import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { durableMap } from '../../local/resources/durable-map.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, appendFileSync: vi.fn(fs.appendFileSync) };
});

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-map-'));
  file = join(folder, 'deep/queue.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const numbers = () => durableMap(file, (value): value is number => typeof value === 'number');
const reopened = (): unknown[] => [...numbers().items];

test('keeps what was put and not removed, in order', () => {
  const map = numbers();
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
  numbers().put('a', 1);
  appendFileSync(file, '["b",');
  numbers().put('c', 3);

  expect(reopened()).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test.each([
  ['no JSON', 'nonsense'],
  ['another value', '["a","text"]'],
  ['null', '["a",null]'],
  ['no list', '"abc"'],
  ['no key', '[1,2]'],
  ['a torn line', '["a",1["b",2]'],
])('names a line in the middle that cannot be read: %s', (_, line) => {
  numbers();
  writeFileSync(file, `["a",1]\n${line}\n["c",3]\n`);

  expect(reopened).toThrow(`${file}: line 2 cannot be read`);
});

test('a put that fails changes nothing, and spoils no later one', () => {
  const map = numbers();
  map.put('a', 1);
  const whole = statSync(file).size;
  vi.mocked(appendFileSync).mockImplementationOnce((name, line) => {
    writeFileSync(name as string, `${readFileSync(name as string, 'utf8')}${String(line).slice(0, 3)}`);
    throw new Error('ENOSPC');
  });

  expect(() => map.put('b', 2)).toThrow('ENOSPC');
  expect(statSync(file).size).toBe(whole);
  map.put('c', 3);

  expect([...map.items]).toEqual(reopened());
  expect(reopened()).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test('does not grow with what is gone', () => {
  const map = numbers();
  map.put('first', 0);
  for (let index = 0; index < 30_000; index++) {
    map.put(`key ${index}`, index);
    map.remove(`key ${index}`);
  }

  expect(statSync(file).size).toBeLessThan(1_050_000);
  expect(reopened()).toEqual([['first', 0]]);
});

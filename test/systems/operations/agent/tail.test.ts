/** Following a log file: every line once, over rotations, restarts and whatever else happens to files. */
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeLevers } from '../../../../local/base/levers.ts';
import { startTail, type Tail, type TailMemory } from '../../../../systems/operations/agent/tail/tail.ts';

let folder: string;
let path: string;
let nowMs: number;
let tail: Tail;
let got: { text: string; file: string; offset: number }[];
let gaps: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'push-tail-'));
  path = join(folder, 'app.log');
  [nowMs, got, gaps] = [0, [], 0];
});
afterEach(async () => {
  await tail.stop();
  rmSync(folder, { recursive: true, force: true });
});

const start = async (memory: TailMemory | null = null): Promise<void> => {
  tail = await startTail(path, memory, () => nowMs);
};
/** Takes what there is, at most so many batches. */
async function take(most = 1_000): Promise<void> {
  for (let count = 0; count < most; count++) {
    const batch = await tail.look();
    if (!batch) return;
    if (batch.afterGap) gaps++;
    got.push(...batch.lines.map(({ text, offset }) => ({ text, file: batch.file, offset })));
    batch.taken();
  }
}
const isAt = (link: string, target: string): boolean => {
  try {
    return readlinkSync(link).startsWith(target);
  } catch {
    return false; // closed meanwhile
  }
};
const texts = () => got.map(({ text }) => text);
const write = (...lines: string[]): void => appendFileSync(path, lines.map((line) => `${line}\n`).join(''));
/** Rotates as logrotate does: each gets the next number. */
const rotate = (from = 1): void => {
  renameSync(path, `${path}.new`);
  for (let number = 99; number >= from; number--)
    try {
      renameSync(`${path}.${number}`, `${path}.${number + 1}`);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error;
    }
  renameSync(`${path}.new`, `${path}.${from}`);
  writeFileSync(path, '');
};

test('a file begins where the agent came, and goes on', async () => {
  write('old');
  await start();
  await take();
  write('1', '2');
  await take();
  expect(texts()).toEqual(['1', '2']);
});

test('a file that is not there yet is read from its start', async () => {
  await start();
  await take();
  write('1');
  await take();
  expect(texts()).toEqual(['1']);
});

describe('a rotation by rename', () => {
  test('loses no line that is written before or after it to the old file', async () => {
    write('0');
    await start();
    write('1');
    rotate();
    appendFileSync(`${path}.1`, '2\n');
    write('3');
    await take();
    appendFileSync(`${path}.1`, '4\n');
    await take();
    expect(texts().toSorted()).toEqual(['1', '2', '3', '4']);
    nowMs += 20_000;
    await take();
    appendFileSync(`${path}.1`, '5\n');
    rotate();
    await take();
    expect(texts().toSorted()).toEqual(['1', '2', '3', '4', '5']);
    expect(gaps).toBe(0);
  });

  test('three times between two looks is no matter, in order', async () => {
    write('0');
    await start();
    for (let round = 1; round <= 3; round++) {
      write(`${round}a`, `${round}b`);
      rotate();
    }
    write('4');
    await take();
    expect(texts()).toEqual(['1a', '1b', '2a', '2b', '3a', '3b', '4']);
    expect(new Set(got.map(({ file }) => file)).size).toBe(4);
  });

  test('of files that were there before reads none of them again', async () => {
    write('old');
    rotate();
    write('older');
    rotate();
    await start();
    for (let round = 0; round < 3; round++) {
      write(String(round));
      await take();
      rotate();
      nowMs += 20_000;
      await take();
    }
    expect(texts()).toEqual(['0', '1', '2']);
  });

  test('to a file with an inode that was used before reads it whole', async () => {
    write('0');
    await start();
    write('1');
    await take();
    unlinkSync(path);
    nowMs += 20_000;
    // most file systems give the same inode again
    write('2', '3');
    await take();
    expect(texts()).toEqual(['1', '2', '3']);
    expect(new Set(got.map(({ file }) => file)).size).toBe(2);
  });
});

test('a file that was deleted is let go once it was read, for it takes room on the disk; one that comes in its place is read whole', async () => {
  write('0');
  await start();
  await take();
  const held = () => readdirSync('/proc/self/fd').flatMap((fd) => (isAt(`/proc/self/fd/${fd}`, path) ? [fd] : []));
  expect(held()).toHaveLength(1);
  write('1');
  unlinkSync(path);
  await take();
  nowMs += 10_000;
  await take();
  expect([texts(), held()]).toEqual([['1'], []]);
  write('2');
  await take();
  expect(texts()).toEqual(['1', '2']);
  expect(gaps).toBe(0);
});

describe('a file that is copied and emptied', () => {
  test('starts over, and says that lines may be missing', async () => {
    write('0');
    await start();
    write('1');
    await take();
    write('2');
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    write('3');
    await take();
    expect(texts()).toEqual(['1', '2', '3']);
    expect(gaps).toBe(1);
    nowMs += 20_000;
    await take();
    rotate(2);
    write('4');
    await take();
    expect(texts()).toEqual(['1', '2', '3', '4']);
  });

  test('and has grown past the old place since is noticed too', async () => {
    write('0');
    await start();
    write('1');
    await take();
    writeFileSync(path, 'new one\nnew two\nnew three\n');
    await take();
    expect(texts()).toEqual(['1', 'new one', 'new two', 'new three']);
    expect(gaps).toBe(1);
  });
});

test('a line without an end waits for it, and comes as it is in the end', async () => {
  await start();
  appendFileSync(path, 'half');
  await take();
  expect(got).toEqual([]);
  appendFileSync(path, ' done\n');
  await take();
  expect(got).toMatchObject([{ text: 'half done' }]);
  appendFileSync(path, 'never');
  await take();
  nowMs += 6_000;
  await take();
  expect(got.at(-1)).toMatchObject({ text: 'never' });
});

test('what was not taken comes again', async () => {
  await start();
  write('1', '2');
  await tail.look();
  await take();
  expect(texts()).toEqual(['1', '2']);
});

describe('after a restart', () => {
  const restart = async (): Promise<void> => {
    const memory = JSON.parse(JSON.stringify(tail.memory())) as TailMemory;
    await tail.stop();
    await start(memory);
  };

  test('it goes on where it was, over rotations that happened meanwhile', async () => {
    write('0');
    await start();
    write('1');
    await take();
    const memory = tail.memory();
    await tail.stop();
    write('2');
    rotate();
    write('3');
    rotate();
    write('4');
    await start(memory);
    await take();
    expect(texts()).toEqual(['1', '2', '3', '4']);
    expect(gaps).toBe(0);
  });

  test('a file that is gone is a gap', async () => {
    write('0');
    await start();
    await take();
    const memory = tail.memory();
    await tail.stop();
    unlinkSync(path);
    writeFileSync(join(folder, 'keeps-the-inode'), '');
    write('9');
    await start(memory);
    await take();
    expect([texts(), gaps]).toEqual([['9'], 1]);
  });

  test.each([1, 2, 3, 4, 5])(
    'random writes, rotations, looks and restarts: every line once, complete by file and offset (seed %i)',
    async (seed) => {
      const { random } = makeLevers(seed);
      write('old');
      await start();
      let serial = 0;
      const wrote: string[] = [];
      for (let step = 0; step < 200; step++) {
        const dice = random();
        if (dice < 0.5) {
          for (let count = Math.ceil(random() * 5); count > 0; count--) {
            const line = `line ${++serial} ${'가😀x'.repeat(Math.floor(random() * 20))}`;
            wrote.push(line);
            // in two pieces
            const bytes = Buffer.from(`${line}\n`);
            const split = Math.floor(random() * bytes.length);
            appendFileSync(path, bytes.subarray(0, split));
            if (random() < 0.2) await take(1);
            appendFileSync(path, bytes.subarray(split));
          }
        } else if (dice < 0.6) rotate();
        else if (dice < 0.65) await restart();
        else if (dice < 0.7) nowMs += 3_000;
        else await take(2);
      }
      await take();
      expect(texts().toSorted()).toEqual(wrote.toSorted());
      expect(gaps).toBe(0);
    },
  );
});

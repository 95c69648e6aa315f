/** What outlives the agent: the spool, and small files. Every byte may be torn. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readDurably, writeDurably } from '../../../../systems/operations/agent/state/durable.ts';
import { openSpool } from '../../../../systems/operations/agent/state/spool.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-spool-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a small file', () => {
  test('cut at any byte is the new version or the one before, and never a failure', async () => {
    const path = join(folder, 'state');
    await writeDurably(path, { n: 1 });
    await writeDurably(path, { n: 2, text: '가격' });
    const whole = readFileSync(path);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(await readDurably(path)).toEqual(length === whole.length ? { n: 2, text: '가격' } : { n: 1 });
    }
    rmSync(path);
    expect(await readDurably(path)).toEqual({ n: 1 });
    writeFileSync(`${path}.before`, 'x');
    expect(await readDurably(path)).toBeNull();
  });
});

describe('the spool', () => {
  const damaged: string[] = [];
  const open = (most = 1e6) =>
    openSpool<{ n: number }>({ folder: join(folder, 'spool'), most, damaged: (path) => void damaged.push(path) });
  const numbers = async (spool: Awaited<ReturnType<typeof open>>) =>
    (await spool.oldest(100, Number.POSITIVE_INFINITY)).map(({ batch }) => batch.n);

  test('keeps batches in order over restarts, until they are removed', async () => {
    const first = await open();
    for (let n = 1; n <= 3; n++) await first.add({ n });
    expect(await numbers(first)).toEqual([1, 2, 3]);
    await first.remove(await first.oldest(1, Number.POSITIVE_INFINITY));
    const again = await open();
    await again.add({ n: 4 });
    expect(await numbers(again)).toEqual([2, 3, 4]);
    await again.remove(await again.oldest(100, Number.POSITIVE_INFINITY));
    expect([again.bytes, readdirSync(join(folder, 'spool'))]).toEqual([0, []]);
  });

  test('counts the blocks of the disk, is full at its limit, and has room again when a fifth of it is free', async () => {
    const spool = await open(10 * 4_096);
    for (let n = 1; n <= 9; n++) await spool.add({ n });
    expect(spool.isFull).toBe(false);
    await spool.add({ n: 10 });
    expect(spool.isFull).toBe(true);
    const fullAfter = async (count: number) => {
      await spool.remove(await spool.oldest(count, Number.POSITIVE_INFINITY));
      return spool.isFull;
    };
    expect([await fullAfter(2), await fullAfter(1)]).toEqual([true, false]);
  });

  test('with any byte of a batch changed loses that batch at most, and says so', async () => {
    const spool = await open();
    for (let n = 1; n <= 3; n++) await spool.add({ n });
    const path = join(folder, 'spool', readdirSync(join(folder, 'spool')).sort()[1] ?? '');
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const broken = Buffer.from(whole);
      broken[at] = (broken[at] ?? 0) ^ 0x55;
      writeFileSync(path, broken);
      const again = await open();
      expect(await numbers(again)).toEqual([1, 3]);
      expect(damaged.splice(0)).toEqual([`${path}.damaged`]);
    }
  });

  test('forgets the batch that was being written at a power cut', async () => {
    const spool = await open();
    await spool.add({ n: 1 });
    appendFileSync(join(folder, 'spool', '000000000002.batch.next'), 'half');
    const again = await open();
    await again.add({ n: 2 });
    expect(await numbers(again)).toEqual([1, 2]);
  });
});

/** From a log file into the outbox: pauses while there is no room, goes on after a kill, and says where a line stands. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Loop } from '../../../../systems/operations/agent/loop.ts';
import { type Outbox, openOutbox } from '../../../../systems/operations/agent/publish/outbox.ts';
import { followLog } from '../../../../systems/operations/agent/tail/follow.ts';

let folder: string;
let path: string;
let outbox: Outbox;
let loop: Loop;
let said: string[];
let nowMs: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'push-follow-'));
  path = join(folder, 'app.log');
  mkdirSync(join(folder, 'state'));
  writeFileSync(path, '');
  [said, nowMs] = [[], 0];
  await open(10_000_000);
});
afterEach(async () => {
  await loop.stop();
  rmSync(folder, { recursive: true, force: true });
});
const open = async (bytes: number): Promise<void> => {
  outbox = await openOutbox({ folder: join(folder, 'spool'), logBytes: bytes, kicked: () => undefined, log: () => undefined });
};
const follow = async (): Promise<void> => {
  loop = await followLog(path, {
    outbox,
    state: join(folder, 'state'),
    now: () => nowMs,
    wall: () => 1e12,
    log: (_, message) => void said.push(message),
  });
};
interface Sent {
  readonly id: string;
  readonly lines: string[];
}
/** Takes everything that waits, once so many lines have come. */
async function sent(lines: number): Promise<Sent[]> {
  const all: Sent[] = [];
  while (all.flatMap((one) => one.lines).length < lines) {
    loop.kick();
    await new Promise(setImmediate);
    const next = await outbox.next(100);
    if (!next) continue;
    for (const { id, detail } of next.events)
      all.push({ id, lines: (detail['entries'] as { message: string }[]).map(({ message }) => message) });
    await next.settle(new Set());
  }
  return all;
}
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

test('updates are bounded, and their ids say where they begin', async () => {
  await follow();
  appendFileSync(
    path,
    numbers(1_200)
      .map((line) => `${line}\n`)
      .join(''),
  );
  const updates = await sent(1_200);
  expect(updates.length).toBeGreaterThan(2);
  for (const { lines } of updates) expect(lines.length).toBeLessThanOrEqual(500);
  expect(updates.flatMap(({ lines }) => lines)).toEqual(numbers(1_200));
  const [file] = (updates[0]?.id ?? '').split('+');
  let offset = 0;
  for (const { id, lines } of updates) {
    expect(id).toBe(`${file}+${offset}`);
    offset += lines.join('\n').length + 1;
  }
});

test('a full spool leaves lines in their file, says so once, and goes on when there is room', async () => {
  await open(1);
  await follow();
  appendFileSync(path, 'a\n');
  while (!outbox.isFull) {
    loop.kick();
    await new Promise(setImmediate);
  }
  appendFileSync(path, 'b\nc\n');
  while (said.length === 0) {
    loop.kick();
    await new Promise(setImmediate);
  }
  expect(said).toEqual([`${path} waits: the spool is full, its lines stay in the file`]);
  expect((await sent(3)).flatMap(({ lines }) => lines)).toEqual(['a', 'b', 'c']);
});

test('killed after lines are on disk and before it is noted that they were read, they are not read again', async () => {
  await follow();
  const { addLines } = outbox;
  let wereAdded = (): void => undefined;
  const isOnDisk = new Promise<void>((resolve) => {
    wereAdded = resolve;
  });
  // the note is what is lost, and nothing happens after it
  outbox.addLines = async (batches) => {
    await addLines(batches, async () => undefined);
    wereAdded();
    await new Promise(() => undefined);
  };
  appendFileSync(path, 'a\nb\n');
  await isOnDisk;
  await open(10_000_000);
  await follow();
  appendFileSync(path, 'c\n');
  expect((await sent(3)).flatMap(({ lines }) => lines)).toEqual(['a', 'b', 'c']);
});

/** The state folder: one agent uses it, and the server's clock outlives a restart in it. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFolder } from '../../../../systems/operations/agent/state/lock.ts';
import { openServerClock } from '../../../../systems/operations/agent/state/server-clock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['a process that has ended', JSON.stringify({ pid: 1, start: '0', boot: 'another' })],
  ['a power cut in the middle of it', '{"pid":'],
])('a lock that %s left is taken, and given back', async (_, left) => {
  writeFileSync(join(folder, 'agent.lock'), left);
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(`another agent uses ${folder}: process ${process.pid}`);
  expect(readdirSync(folder)).toEqual(['agent.lock']);
  await unlock();
  await (await lockFolder(folder))();
  expect(readdirSync(folder)).toEqual([]);
});

test("the server's time is known again after a restart, before the server has answered", async () => {
  let wallMs = 1_000_000;
  const open = () =>
    openServerClock(
      folder,
      () => wallMs,
      (_, message) => expect.unreachable(message),
    );
  const clock = await open();
  expect(clock.now()).toBe(1_000_000);
  clock.heard(1_300_000);
  expect(clock.now()).toBe(1_300_000);
  wallMs += 5_000;
  // a second more or less is the header's
  clock.heard(1_304_000);
  expect(clock.now()).toBe(1_305_000);
  await expect.poll(async () => (await open()).now()).toBe(1_305_000);
});

/** The journal of commands: each is carried out once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Command } from '../../../../systems/operations/agent/commands/command.ts';
import { openJournal } from '../../../../systems/operations/agent/commands/journal.ts';
import { serviceChanged } from '../../../../systems/operations/agent/services/changed.ts';

let folder: string;
let nowMs: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-journal-'));
  nowMs = 1e12;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const command = (command_id: string): Command => ({
  command_id,
  service_id: 'news',
  action: 'restart',
  options: {},
  expires_at: '2026-11-26T12:00:00.000Z',
});
const said = { type: 'restarted', status: 'running', message: 'it was', pid: 5, commandId: 'c' } as const;
const answer = serviceChanged('news', undefined, said, 0);
const open = () => openJournal(join(folder, 'commands'), () => nowMs);

test('a command that comes a hundred times is new once, and then has its answer, also after restarts', async () => {
  const first = await open();
  expect(await first.begin(command('c'), 7)).toEqual({ kind: 'new' });
  await first.finish('c', answer);
  for (let time = 0; time < 100; time++) {
    const journal = time % 10 === 0 ? await open() : first;
    expect(await journal.begin(command('c'), 7)).toEqual({ kind: 'done', answer });
  }
});

test('one that was begun before a kill is not begun again, and is known as unfinished', async () => {
  await (await open()).begin(command('c'), 7);
  const again = await open();
  expect(await again.begin(command('c'), 7)).toEqual({ kind: 'begun' });
  expect(again.unfinished()).toEqual([{ command: command('c'), pid: 7 }]);
  await again.finish('c', answer);
  expect((await open()).unfinished()).toEqual([]);
});

test('keeps two days, and no more than two thousand', async () => {
  const journal = await open();
  await journal.begin(command('old'), null);
  nowMs += 2 * 86_400_000 + 1;
  await journal.begin(command('new'), null);
  expect(await (await open()).begin(command('old'), null)).toEqual({ kind: 'new' });
  expect(await (await open()).begin(command('new'), null)).toEqual({ kind: 'begun' });
});

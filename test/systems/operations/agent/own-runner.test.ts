/** Processes that outlive their agent: killed at each write of a start, the next agent runs the service once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openServiceMemory, type ServiceMemory } from '../../../../systems/operations/agent/services/memory.ts';
import { ownRunner } from '../../../../systems/operations/agent/services/own-runner.ts';
import { procAt } from '../../../../systems/operations/agent/services/proc.ts';
import { killProcess, type ProcessForm, startProcess } from '../../../../systems/operations/agent/services/run.ts';
import { isRunning, markedWith } from '../../../helpers/agent.ts';

let folder: string;
let mark: string;
const proc = procAt();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-runner-'));
  mark = `${folder}#news`;
});
afterEach(() => {
  for (const pid of markedWith(folder)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const command = (): ProcessForm => ({
  command: [process.execPath, '-e', 'setInterval(() => 0, 1e6)'],
  folder: null,
  environment: process.env,
  output: join(folder, 'news.log'),
});
const open = (): Promise<ServiceMemory> => openServiceMemory(join(folder, 'news.json'));
const runner = (memory: ServiceMemory) =>
  ownRunner({
    command,
    mark,
    memory,
    ports: { proc, sleep: (ms) => new Promise((done) => setTimeout(done, ms)), now: () => performance.now(), kill: killProcess },
  });

describe.skipIf(process.platform !== 'linux')('an agent that was killed', () => {
  test('before the process was there starts one', async () => {
    await (await open()).note({ identity: null });
    const next = runner(await open());
    expect(await next.pid()).toBeNull();
    const pid = await next.start();
    expect(markedWith(mark)).toEqual([pid]);
  });

  test('after that, and before it was noted, ends the one that nobody knows, and starts one', async () => {
    await (await open()).note({ identity: null });
    const { identity } = await startProcess(command(), mark, proc);
    const next = runner(await open());
    expect(await next.pid()).toBeNull();
    const pid = await next.start();
    expect(isRunning(identity.pid)).toBe(false);
    expect(markedWith(mark)).toEqual([pid]);
  });

  test('after it was noted takes it up', async () => {
    const pid = await runner(await open()).start();
    expect(await runner(await open()).pid()).toBe(pid);
  });

  test('during a stop ends what is left', async () => {
    const pid = await runner(await open()).start();
    const next = runner(await open());
    expect(await next.stop(5_000)).toMatchObject({ left: 0, escaped: 0 });
    expect([isRunning(pid), await runner(await open()).pid()]).toEqual([false, null]);
  });

  test('says how its own process ended', async () => {
    const one = runner(await open());
    const pid = await one.start();
    process.kill(pid, 'SIGKILL');
    while (one.ending() === null) await new Promise((done) => setTimeout(done, 5));
    expect([one.ending(), await one.pid()]).toEqual(['by SIGKILL', null]);
  });
});

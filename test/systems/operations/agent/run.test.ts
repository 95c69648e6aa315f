/** Starting and stopping real processes: nothing of a service is left, and nothing of anybody else is touched. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test as anywhere, beforeEach, describe, expect } from 'vitest';
import { procAt } from '../../../../systems/operations/agent/services/proc.ts';
import { killProcess, type Started, startProcess, stopProcess } from '../../../../systems/operations/agent/services/run.ts';

// processes are read from /proc
const test = anywhere.runIf(process.platform === 'linux');
const proc = procAt();
let folder: string;
let mark: string;
let serial = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'push-run-'));
  mark = `test-${process.pid}-${serial++}`;
});
afterEach(async () => {
  for (const pid of await proc.marked(mark)) killProcess(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const output = (): string => readFileSync(join(folder, 'out'), 'utf8');
const start = (...command: string[]): Promise<Started> =>
  startProcess({ command, folder, environment: { PATH: process.env['PATH'], A: 'b' }, output: join(folder, 'out') }, mark, proc);
const ports = {
  proc,
  sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
  now: () => performance.now(),
  kill: killProcess,
};
const stop = ({ identity }: Started, graceMs = 10_000) => stopProcess(identity, mark, graceMs, ports);
/** Waits until the output holds this. */
async function said(text: string): Promise<void> {
  for (let tries = 0; tries < 1_000 && !output().includes(text); tries++) await ports.sleep(10);
  expect(output()).toContain(text);
}

test('a service gets the environment of its config and no other, and its output is kept', async () => {
  const service = await start('sh', '-c', 'echo "A=$A HOME=$HOME"; echo oops >&2; pwd; sleep 1000');
  await said(`A=b HOME=\noops\n`);
  await said(folder);
  expect(await proc.isAlive(service.identity)).toBe(true);
  expect(await stop(service)).toEqual({ killed: false, escaped: 0, left: 0 });
  expect(await service.ended).toMatchObject({ signal: 'SIGTERM' });
  expect(await proc.isAlive(service.identity)).toBe(false);
});

test('no shell reads its arguments', async () => {
  const service = await start('printf', '%s\n', '$(id); `id`; > x');
  await said('$(id); `id`; > x');
  await service.ended;
});

test('a program that is not there is told', async () => {
  await expect(start('no-such-program-here')).rejects.toThrow('ENOENT');
});

describe('stopping', () => {
  test('ends grandchildren, and kills one that ignores the signal', async () => {
    const service = await start('sh', '-c', `sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done' & wait`);
    await said('ready');
    const group = await proc.group(service.identity.pid);
    expect(group.length).toBeGreaterThanOrEqual(2);
    expect(await stop(service, 300)).toEqual({ killed: true, escaped: 0, left: 0 });
    expect(await proc.group(service.identity.pid)).toEqual([]);
  });

  test('finds what left the group, and says so', async () => {
    const service = await start('sh', '-c', 'setsid sleep 1000 & sleep 0.2; echo ready; sleep 1000');
    await said('ready');
    expect(await stop(service)).toMatchObject({ escaped: 1, left: 0 });
    expect(await proc.marked(mark)).toEqual([]);
  });

  test('by force does not ask', async () => {
    const service = await start('sh', '-c', `trap 'echo asked' TERM; echo ready; while :; do sleep 1; done`);
    await said('ready');
    expect(await stop(service, 0)).toMatchObject({ killed: true, left: 0 });
    expect(output()).not.toContain('asked');
  });

  test('touches no stranger that has the pid, or the number of the group, now', async () => {
    const stranger = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid as number;
    const killed: number[] = [];
    const identity = { pid, start: '1', boot: 'another' };
    expect(await proc.isAlive(identity)).toBe(false);
    const done = await stopProcess(identity, mark, 100, { ...ports, kill: (one) => void killed.push(one) });
    expect([done, killed]).toEqual([{ killed: false, escaped: 0, left: 0 }, []]);
    stranger.kill('SIGKILL');
  });
});

test('a process is known by its start and the boot, not by its pid', async () => {
  const root = join(folder, 'proc');
  const write = (start: string, state = 'S', boot = 'b1'): void => {
    mkdirSync(join(root, '7'), { recursive: true });
    mkdirSync(join(root, 'sys/kernel/random'), { recursive: true });
    writeFileSync(join(root, '7/stat'), `7 (a) b (c) ${state} 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0`);
    writeFileSync(join(root, 'sys/kernel/random/boot_id'), `${boot}\n`);
  };
  const fake = procAt(root);
  write('100');
  const identity = await fake.identityOf(7);
  expect(identity).toEqual({ pid: 7, start: '100', boot: 'b1' });
  // the boot is read once: another one is another agent too
  const alive = () => procAt(root).isAlive(identity as NonNullable<typeof identity>);
  expect(await alive()).toBe(true);
  expect(await fake.group(7)).toEqual([7]);
  for (const [start, state, boot] of [
    ['101', 'S', 'b1'],
    ['100', 'Z', 'b1'],
    ['100', 'S', 'b2'],
  ]) {
    write(start as string, state, boot);
    expect(await alive()).toBe(false);
  }
});

/** The machine's figures, from trees of files as Linux has them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { measureMachine } from '../../../../systems/operations/agent/machine/metrics.ts';

let root: string;
let nowMs: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'push-machine-'));
  nowMs = 0;
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
};
const host = (busy: number, idle: number) => ({
  'proc/stat': `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 2 3\n`,
  'proc/meminfo': 'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n',
  'proc/uptime': '12345.67 1.0\n',
  'proc/net/dev': 'Inter-|\n face |\n    lo: 1 2\n  eth0: 3 4\n',
  'sys/class/net/eth0/operstate': 'up\n',
});
const measure = () => measureMachine({ root, disk: root, now: () => nowMs });

describe('a host', () => {
  test('has figures, the CPU from the second look on', async () => {
    write(host(100, 900));
    const look = measure();
    expect(await look()).toMatchObject({ cpuPercent: null, memoryPercent: 60, isOnline: true, uptimeSeconds: 12_345, of: 'host' });
    write(host(175, 925));
    const { cpuPercent, diskPercent } = await look();
    expect(cpuPercent).toBe(75);
    expect(diskPercent).toBeGreaterThan(0);
    expect(diskPercent).toBeLessThanOrEqual(100);
  });

  test('whose counters went backwards has no figure, and then one again', async () => {
    write(host(1_000, 1_000));
    const look = measure();
    await look();
    write(host(10, 10));
    expect((await look()).cpuPercent).toBeNull();
    write(host(20, 20));
    expect((await look()).cpuPercent).toBe(50);
  });

  test('without a network is offline', async () => {
    write({ ...host(1, 1), 'sys/class/net/eth0/operstate': 'down\n' });
    expect((await measure()()).isOnline).toBe(false);
    write({ 'proc/net/dev': 'Inter-|\n face |\n    lo: 1 2\n' });
    expect((await measure()()).isOnline).toBe(false);
  });

  test('that hides its files has no figures, and no made-up ones', async () => {
    expect(await measure()()).toMatchObject({ cpuPercent: null, memoryPercent: null, isOnline: null, uptimeSeconds: null });
  });
});

describe('a container', () => {
  const limits = (cpu: string, memory: string) => ({ 'sys/fs/cgroup/cpu.max': `${cpu}\n`, 'sys/fs/cgroup/memory.max': `${memory}\n` });
  const used = (usec: number) => ({
    'sys/fs/cgroup/cpu.stat': `usage_usec ${usec}\nuser_usec 1\n`,
    'sys/fs/cgroup/memory.current': '300000\n',
    'sys/fs/cgroup/memory.stat': 'anon 1\ninactive_file 100000\n',
  });

  test('is measured by its own limits', async () => {
    write({ ...host(100, 900), ...limits('50000 100000', '400000'), ...used(0) });
    const look = measure();
    await look();
    nowMs = 10_000;
    // a quarter of a processor, of the half that it may use
    write({ ...host(900, 100), ...used(2_500_000) });
    expect(await look()).toMatchObject({ cpuPercent: 50, memoryPercent: 50, of: 'container' });
  });

  test('without limits is the host', async () => {
    write({ ...host(100, 900), ...limits('max 100000', 'max'), ...used(0) });
    const look = measure();
    await look();
    write(host(175, 925));
    expect(await look()).toMatchObject({ cpuPercent: 75, memoryPercent: 60, of: 'host' });
  });

  test('with more memory than the host has is measured by the host', async () => {
    write({ ...host(1, 1), ...limits('max 100000', '99999999'), ...used(0) });
    expect((await measure()()).memoryPercent).toBe(60);
  });
});

/** The machine's figures, from `/proc` and the file systems. Inside a container they are the container's, where it has limits. */
import { readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** `data` of a `status_update`, without the services. A figure that cannot be had is `null`. */
export interface Figures {
  readonly cpuPercent: number | null;
  readonly memoryPercent: number | null;
  readonly diskPercent: number | null;
  /** Whether an interface other than the loopback is up. */
  readonly isOnline: boolean | null;
  readonly uptimeSeconds: number | null;
  /** The source of the figures of CPU and memory. */
  readonly of: 'host' | 'container';
}

export interface MetricsPorts {
  /** `/`, or a folder of that shape. */
  readonly root?: string;
  /** The file system that is measured. @default the root */
  readonly disk?: string;
  /** Goes only forward, in ms. */
  now(): number;
}

/** Busy and whole time, in any unit. */
interface Spent {
  readonly busy: number;
  readonly whole: number;
}

/** Returns a function that measures; each call since the one before it. */
export function measureMachine({ root = '/', disk = '/', now }: MetricsPorts): () => Promise<Figures> {
  const text = (path: string): Promise<string | null> => readFile(join(root, path), 'utf8').catch(() => null);
  const number = async (path: string): Promise<number | null> => {
    const found = (await text(path))?.trim();
    return found && /^\d+$/.test(found) ? Number(found) : null;
  };
  let before: (Spent & { readonly of: string }) | null = null;

  /** A container with a limit of its own: the processors it may use; `null` = it has none. */
  const limits = async (): Promise<{ readonly processors: number | null; readonly bytes: number | null }> => {
    const [quota = '', period = ''] = (await text('sys/fs/cgroup/cpu.max'))?.trim().split(' ') ?? [];
    const processors = /^\d+$/.test(quota) && Number(period) > 0 ? Number(quota) / Number(period) : null;
    return { processors, bytes: await number('sys/fs/cgroup/memory.max') };
  };
  const containerSpent = async (processors: number): Promise<Spent | null> => {
    const usage = /^usage_usec (\d+)$/m.exec((await text('sys/fs/cgroup/cpu.stat')) ?? '')?.[1];
    return usage === undefined ? null : { busy: Number(usage) / 1000, whole: now() * processors };
  };
  const hostSpent = async (): Promise<Spent | null> => {
    const fields = /^cpu +(.*)$/m
      .exec((await text('proc/stat')) ?? '')?.[1]
      ?.split(' ')
      .map(Number);
    if (!fields || fields.length < 8) return null;
    // guest time is within user time already; idle and iowait are not busy
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = fields;
    const busy = user + nice + system + irq + soft + steal;
    return { busy, whole: busy + idle + wait };
  };
  const cpu = async (processors: number | null): Promise<number | null> => {
    const spent = processors === null ? await hostSpent() : await containerSpent(processors);
    if (!spent) return null;
    const last = before;
    before = { ...spent, of: String(processors) };
    if (!last || last.of !== before.of) return null;
    const [busy, whole] = [spent.busy - last.busy, spent.whole - last.whole];
    // counters that went backwards are no sample
    return busy < 0 || whole <= 0 ? null : percent(busy, whole);
  };
  const memory = async (most: number | null): Promise<number | null> => {
    const info = (await text('proc/meminfo')) ?? '';
    const kilobytes = (name: string): number | null =>
      Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(info)?.[1] ?? Number.NaN) || null;
    const [total, available] = [kilobytes('MemTotal'), kilobytes('MemAvailable')];
    if (most !== null && (total === null || most < total * 1024)) {
      const used = await number('sys/fs/cgroup/memory.current');
      const cache = Number(/^inactive_file (\d+)$/m.exec((await text('sys/fs/cgroup/memory.stat')) ?? '')?.[1] ?? 0);
      return used === null ? null : percent(Math.max(0, used - cache), most);
    }
    return total === null || available === null ? null : percent(total - available, total);
  };
  const space = async (): Promise<number | null> => {
    const found = await statfs(disk).catch(() => null);
    // as `df` counts: what only root may use is not free
    return found && found.blocks > 0 ? percent(found.blocks - found.bfree, found.blocks - found.bfree + found.bavail) : null;
  };
  const online = async (): Promise<boolean | null> => {
    const lines = (await text('proc/net/dev'))?.split('\n').slice(2);
    const names = lines?.map((line) => line.split(':')[0]?.trim() ?? '').filter((name) => name !== '' && name !== 'lo');
    if (!names) return null;
    const states = await Promise.all(names.map((name) => text(`sys/class/net/${name}/operstate`)));
    return states.some((state) => state?.trim() === 'up' || state?.trim() === 'unknown');
  };
  return async () => {
    const { processors, bytes } = await limits();
    const uptime = Number((await text('proc/uptime'))?.split(' ')[0]);
    return {
      cpuPercent: await cpu(processors),
      memoryPercent: await memory(bytes),
      diskPercent: await space(),
      isOnline: await online(),
      uptimeSeconds: Number.isFinite(uptime) ? Math.floor(uptime) : null,
      of: processors !== null || bytes !== null ? 'container' : 'host',
    };
  };
}

/** With one digit. */
const percent = (part: number, whole: number): number => Math.min(100, Math.round((part / whole) * 1000) / 10);

/** The state of this machine, as its operating system reports it. */
import { statfs } from 'node:fs/promises';
import { cpus, freemem, networkInterfaces, totalmem, uptime } from 'node:os';

/** Processor time since the machine started, in ms. */
interface Processors {
  readonly busy: number;
  readonly all: number;
}

export function readProcessors(): Processors {
  const times = cpus().map((one) => one.times);
  const idle = times.reduce((sum, one) => sum + one.idle, 0);
  const all = times.reduce((sum, one) => sum + one.idle + one.user + one.sys + one.nice + one.irq, 0);
  return { busy: all - idle, all };
}

const percentOf = (part: number, whole: number): number => (whole <= 0 ? 0 : Math.round((part / whole) * 1000) / 10);

/** The data of a `status_update`. Its CPU use is the average since `before`. */
export async function machineStatus(before: Processors, now: Processors, services: number): Promise<Record<string, unknown>> {
  const disk = await statfs(process.cwd());
  const outward = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
  return {
    cpu_percent: percentOf(now.busy - before.busy, now.all - before.all),
    memory_percent: percentOf(totalmem() - freemem(), totalmem()),
    disk_usage: percentOf(disk.blocks - disk.bavail, disk.blocks),
    network_status: outward ? 'connected' : 'disconnected',
    uptime: Math.floor(uptime()),
    active_services: services,
  };
}

/** Processes as `/proc` shows them. A pid alone names nobody: it is given out again. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One process for good: its pid, its start since boot, and the boot. */
export interface Identity {
  readonly pid: number;
  /** In clock ticks since the boot. */
  readonly start: string;
  readonly boot: string;
}

/** A line of `/proc/{pid}/stat`. */
interface Stat {
  readonly pid: number;
  readonly state: string;
  readonly group: number;
  readonly start: string;
}

/** The environment variable by which a service's processes are found again, wherever they went. */
export const MARK = 'REALTIME_PUSH_SERVICE';

export interface Proc {
  /** `null`: there is no such process, or only what is left of one that has ended. */
  identityOf(pid: number): Promise<Identity | null>;
  isAlive(identity: Identity): Promise<boolean>;
  /** Pids of a process group that are still running. */
  group(id: number): Promise<number[]>;
  /** Pids of processes that carry this mark. */
  marked(mark: string): Promise<number[]>;
}

/** @param root `/proc`, or a folder of that shape */
export function procAt(root = '/proc'): Proc {
  const text = (path: string): Promise<string | null> => readFile(join(root, path), 'utf8').catch(() => null);
  const statOf = async (pid: number): Promise<Stat | null> => {
    const line = await text(`${pid}/stat`);
    // the name in parentheses may hold anything, parentheses too
    const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
    if (!fields || fields.length < 20) return null;
    return { pid, state: fields[0] ?? '', group: Number(fields[2]), start: fields[19] ?? '' };
  };
  const isOver = ({ state }: Stat): boolean => state === 'Z' || state === 'X';
  let booted: string | null = null;
  const boot = async (): Promise<string> => {
    booted ??= (await text('sys/kernel/random/boot_id'))?.trim() ?? null;
    return booted ?? '';
  };
  const pids = async (): Promise<number[]> => (await readdir(root)).filter((name) => /^\d+$/.test(name)).map(Number);
  const proc: Proc = {
    async identityOf(pid) {
      const stat = await statOf(pid);
      return stat && !isOver(stat) ? { pid, start: stat.start, boot: await boot() } : null;
    },
    async isAlive({ pid, start, boot: of }) {
      const now = await proc.identityOf(pid);
      return now !== null && now.start === start && now.boot === of;
    },
    async group(id) {
      const stats = await Promise.all((await pids()).map(statOf));
      return stats.flatMap((stat) => (stat && stat.group === id && !isOver(stat) ? [stat.pid] : []));
    },
    async marked(mark) {
      const found = await Promise.all(
        (await pids()).map(async (pid) => {
          // NUL separates variables
          const variables = (await text(`${pid}/environ`))?.split('\0') ?? [];
          return variables.includes(`${MARK}=${mark}`) ? [pid] : [];
        }),
      );
      return found.flat();
    },
  };
  return proc;
}

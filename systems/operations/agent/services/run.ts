/** Starting and stopping the processes of one service. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { type Identity, MARK, type Proc } from './proc.ts';

export interface ProcessForm {
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
  readonly folder: string | null;
  /** All of it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Its output is appended there: a file never makes it wait. */
  readonly output: string;
}

export interface Started {
  readonly identity: Identity;
  /** Resolves when it ends, as far as it is the agent's own child. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts a service in a process group of its own. Throws if there is no such program. `mark`: finds its processes again. */
export async function startProcess(service: ProcessForm, mark: string, proc: Proc): Promise<Started> {
  const [program = '', ...args] = service.command;
  const output = await open(service.output, 'a', 0o640);
  try {
    const child = spawn(program, args, {
      cwd: service.folder ?? undefined,
      env: { ...service.environment, [MARK]: mark },
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    // exit, not close: a grandchild may hold the output for ever
    const ended = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as string | null }));
    ended.catch(() => undefined);
    await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error as Error))]);
    child.unref();
    const pid = child.pid as number;
    // one that ended at once has no identity any more: it gets one that is alive nowhere
    return { identity: (await proc.identityOf(pid)) ?? { pid, start: '', boot: '' }, ended };
  } finally {
    await output.close();
  }
}

export interface StopPorts {
  readonly proc: Proc;
  /** Resolves after so many ms. */
  sleep(ms: number): Promise<void>;
  now(): number;
  /** Does nothing if there is no such process. */
  kill(pid: number, signal: Signal): void;
}

export type Signal = 'SIGTERM' | 'SIGKILL';

export function killProcess(pid: number, signal: Signal): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // one that may not be signalled is left, and reported so
    if (!['ESRCH', 'EPERM'].includes(String((error as { code?: unknown }).code))) throw error;
  }
}

/** Between two looks at whether a group is empty, in ms. */
const LOOK_MS = 50;
/** A group that was killed is gone after this; if not, it never will be, in ms. */
const KILLED_MS = 5_000;

export interface Stopped {
  /** It did not end by itself in time, or should not. */
  readonly killed: boolean;
  /** Processes of the service that left its group, and were ended too. */
  readonly escaped: number;
  /** It could not be ended. */
  readonly left: number;
}

/**
 * Ends a service with everything that it started: the group is asked, and after `graceMs` killed until it is empty; then those
 * that left it. Nothing is signalled that is not the service's: the identity is looked at before each signal.
 */
export async function stopProcess(identity: Identity, mark: string, graceMs: number, ports: StopPorts): Promise<Stopped> {
  const { proc } = ports;
  const isLed = await proc.isAlive(identity);
  const members = async (): Promise<number[]> => {
    const group = await proc.group(identity.pid);
    // a group that was seen with its leader is ours until it is empty; of another only the marked ones surely are
    if (isLed) return group;
    const ours = new Set(await proc.marked(mark));
    return group.filter((pid) => ours.has(pid));
  };
  const emptied = async (ms: number): Promise<boolean> => {
    const until = ports.now() + ms;
    for (;;) {
      if ((await members()).length === 0) return true;
      if (ports.now() >= until) return false;
      await ports.sleep(LOOK_MS);
    }
  };
  const signal = async (name: Signal): Promise<void> => {
    for (const pid of await members()) ports.kill(pid, name);
  };
  let killed = graceMs <= 0;
  if (!killed) {
    await signal('SIGTERM');
    killed = !(await emptied(graceMs));
  }
  for (const until = ports.now() + KILLED_MS; killed && ports.now() < until && (await members()).length > 0; await ports.sleep(LOOK_MS))
    await signal('SIGKILL');
  const escaped = await proc.marked(mark);
  for (const pid of escaped) ports.kill(pid, 'SIGKILL');
  await emptied(KILLED_MS);
  return { killed, escaped: escaped.length, left: (await members()).length };
}

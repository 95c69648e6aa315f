import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** A server under load, in processes of its own. */
export interface Host {
  readonly url: string;
  /** Resident memory of its process tree, in MB; `null` if the system does not report it. */
  memoryMb(): number | null;
  /** CPU time of its process tree so far, in seconds; `null` if the system does not report it. */
  cpuSeconds(): number | null;
  stop(): Promise<void>;
}

/** The control and this project. They run one after the other, so that neither slows the other. */
const HOSTS: readonly (readonly [name: string, program: string, environment: Record<string, string>])[] = [
  ['bare ws (control)', 'bench/bare-ws.ts', {}],
  ['realtime-push, local', 'bin/local.ts', { DEMO: 'off', PORT: '0', AWS_PORT: '0', LOG_LEVEL: 'WARN' }],
];

/** Runs the same load on each host. */
export async function onEachHost(work: (name: string, host: Host) => Promise<void>): Promise<void> {
  for (const [name, program, environment] of HOSTS) {
    const host = await startHost(program, environment);
    try {
      await work(name, host);
    } finally {
      await host.stop();
    }
  }
}

/** Starts a program and waits for its `ready http://` line. */
export async function startHost(program: string, environment: Record<string, string>): Promise<Host> {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await readyUrl(child);
  return {
    url,
    memoryMb: () => sumOf(treeOf(child.pid ?? 0), (pid) => residentKb(pid) / 1024),
    cpuSeconds: () => sumOf(treeOf(child.pid ?? 0), cpuOf),
    async stop() {
      const exited = new Promise((done) => child.once('exit', done));
      child.kill('SIGINT');
      await exited;
    },
  };
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolveUrl, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const url = /^ready (http:\/\/\S+)/m.exec(output)?.[1];
      if (url) resolveUrl(url);
    });
    child.once('exit', (code) => reject(new Error(`the host exited with ${code}: ${output}`)));
  });
}

function treeOf(root: number): number[] | null {
  try {
    const parents = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const stat = statOf(Number(name));
        return stat ? [{ pid: Number(name), parent: Number(stat[1]) }] : [];
      });
    const tree = [root];
    for (const pid of tree) tree.push(...parents.filter(({ parent }) => parent === pid).map((one) => one.pid));
    return tree;
  } catch {
    // only Linux has /proc: elsewhere the tables print "unknown"
    return null;
  }
}

/** The fields after the command's name, which may itself contain spaces. */
function statOf(pid: number): string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? null;
  } catch {
    // a process may end while the tree is read
    return null;
  }
}

const sumOf = (tree: number[] | null, of: (pid: number) => number): number | null => tree?.reduce((sum, pid) => sum + of(pid), 0) ?? null;

const residentKb = (pid: number): number => Number(statOf(pid)?.[21] ?? 0) * 4;

/** Clock ticks are hundredths of a second on every Linux that Node runs on. */
const cpuOf = (pid: number): number => {
  const stat = statOf(pid);
  return (Number(stat?.[11] ?? 0) + Number(stat?.[12] ?? 0)) / 100;
};

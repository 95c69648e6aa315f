/** The host agent as a process of its own, from its bundle. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildAgent } from '../../bin/build-agent.ts';
import type { LocalRun } from '../../local/run.ts';
import { PROCESS_MS, within } from './within.ts';

/** Makes the key of an agent. */
export async function addAgent({ awsUrl }: Pick<LocalRun, 'awsUrl'>, id: string, services: readonly string[]): Promise<string> {
  const account = { AWS_ENDPOINT_URL: awsUrl, AWS_REGION: 'local', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  const words = ['--import', 'tsx', 'bin/keys.ts', 'add', '--agent', id, '--services', services.join(',')];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    env: { ...process.env, ...account, AWS_PORT: new URL(awsUrl).port },
    timeout: PROCESS_MS,
  });
  return stdout.trim();
}

export interface AgentProcess {
  readonly pid: number;
  /** Its own log, so far. */
  readonly output: () => string;
  /** Resolves when its own log has this. */
  says(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
}

export interface AgentHome {
  readonly folder: string;
  readonly state: string;
  /** Writes its config, whole. */
  config(config: object): void;
  start(environment?: NodeJS.ProcessEnv): AgentProcess;
  /** Ends the agents that were started, and every process of their services; removes the folder. */
  remove(): Promise<void>;
}

/** A folder with an agent in it. */
export async function agentHome(): Promise<AgentHome> {
  const folder = mkdtempSync(join(tmpdir(), 'push-agent-'));
  mkdirSync(join(folder, 'dist'));
  await buildAgent(join(folder, 'dist', 'agent.js'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', engines: { node: '>=20.19' } }));
  const agents: ChildProcess[] = [];
  const file = join(folder, 'agent.json');
  let id = '';
  return {
    folder,
    get state() {
      return join(folder, `${id}.state`);
    },
    config(config) {
      id = (config as { agent?: string }).agent ?? id;
      writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    },
    start(environment = {}) {
      const child = spawn(join(folder, 'dist', 'agent.js'), [file], {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      agents.push(child);
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      const says = async (text: string): Promise<void> => {
        while (!output.includes(text)) await once(child.stderr, 'data');
      };
      return {
        pid: child.pid as number,
        output: () => output,
        says: (text) => within(says(text), `the agent to say "${text}"`, () => [output]),
        signal: (name) => void child.kill(name),
        ended: once(child, 'exit'),
      };
    },
    async remove() {
      for (const agent of agents) {
        if (agent.exitCode !== null || agent.signalCode !== null) continue;
        agent.kill('SIGKILL');
        await once(agent, 'exit');
      }
      for (const pid of markedWith(folder)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Pids of processes that run for services, whose marks begin like this: the state folder of their agent, `#` and the service. */
export function markedWith(prefix: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readOr(`/proc/${pid}/environ`).includes(`\0REALTIME_PUSH_SERVICE=${prefix}`)).map(Number);
}

/** A process runs, and is no zombie. */
export const isRunning = (pid: number): boolean => {
  const line = readOr(`/proc/${pid}/stat`);
  return line !== '' && !/^[ZX]/.test(line.slice(line.lastIndexOf(')') + 2));
};

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

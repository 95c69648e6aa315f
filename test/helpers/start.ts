import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PROCESS_MS, within } from './within.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const started = new Set<() => void>();
const folders = new Set<string>();

/** Ends what a test left running, and removes its folders. For `afterEach`. */
export function stopAll(): void {
  for (const kill of started) kill();
  started.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** A new folder for `DATA_DIR`. */
export function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'push-data-'));
  folders.add(folder);
  return folder;
}

export interface Started {
  /** The URL, once it can serve. */
  ready(): Promise<string>;
  /** The exit code; `null` after a kill. */
  exited(): Promise<number | null>;
  output(): string;
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
}

/** `npm start` as a process, without demo and on free ports unless the environment says otherwise. `before`: options of Node. */
export function start(environment: Record<string, string>, options: readonly string[] = [], before: readonly string[] = []): Started {
  const child = spawn(process.execPath, [...before, '--import', 'tsx', 'bin/local.ts', ...options], {
    cwd: ROOT,
    env: { ...process.env, DEMO: 'off', PORT: '0', AWS_PORT: '0', HOST: '', DATA_DIR: '', VERBOSE: '', ...environment },
  });
  started.add(() => child.kill('SIGKILL'));
  let output = '';
  const ready = new Promise<string>((resolveReady, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const url = /^ready (http:\/\/\S+)/m.exec(output)?.[1];
      if (url) resolveReady(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  ready.catch(() => undefined);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    ready: () => within(ready, 'the line "ready"', () => [output], PROCESS_MS),
    exited: () => within(exited, 'the end of the process', () => [output], PROCESS_MS),
    output: () => output,
    end: (signal) => void child.kill(signal),
  };
}

/** `npm start` as a process: it prints when it is ready, ends on Ctrl-C without leftovers, and keeps its data. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { close, listen } from '../../local/base/listen.ts';
import { tick } from '../helpers/events.ts';
import { hostAt } from '../helpers/host.ts';
import { PROCESS_MS, within } from '../helpers/within.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

function start(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/local.ts'], {
    cwd: ROOT,
    env: { ...process.env, DEMO: 'off', PORT: '0', AWS_PORT: '0', ...environment },
  });
  ended.push(() => child.kill('SIGKILL'));
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
  const exited = once(child, 'exit').then(([code]) => code as number);
  return {
    ready: () => within(ready, 'the line "ready"', () => [output], PROCESS_MS),
    exited: () => within(exited, 'the end of the process', () => [output], PROCESS_MS),
    output: () => output,
    interrupt: () => child.kill('SIGINT'),
  };
}

describe('npm start', { timeout: 240_000 }, () => {
  test('serves once it prints ready, and leaves no open port after Ctrl-C', async () => {
    const local = start({});
    const url = await local.ready();

    expect((await fetch(`${url}/api/health`)).status).toBe(200);
    local.interrupt();

    expect(await local.exited()).toBe(0);
    await expect(fetch(`${url}/api/health`)).rejects.toThrow();
  });

  test('with DATA_DIR keeps its quotes over a restart', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'push-data-'));
    ended.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const first = start({ DATA_DIR: dataDir });
    const before = hostAt(await first.ready(), 'local-key');
    await before.publish([tick('005930', 158_600)]);
    const quote = await before.eventually(
      () => before.get('/internal/price/005930'),
      ({ status }) => status === 200,
    );
    first.interrupt();
    await first.exited();

    const second = start({ DATA_DIR: dataDir });
    const after = hostAt(await second.ready(), 'local-key');

    expect((await after.get('/internal/price/005930')).body).toEqual(quote.body);
    second.interrupt();
    await second.exited();
  });

  test('fails if its port is taken, with the port and the setting to change', async () => {
    const other = createServer();
    const port = await listen(other, 0, '127.0.0.1');
    const local = start({ PORT: String(port) });

    expect(await local.exited()).toBe(1);
    expect(local.output()).toContain(`port ${port} is taken`);
    expect(local.output()).toContain('PORT=');
    await close(other);
  });

  test.each([
    ['PORT', 'eighty'],
    ['DEMO', 'perhaps'],
    ['MAX_CONNECTIONS', '-1'],
  ])('fails with %s=%s, and prints the values it expects', async (name, value) => {
    const local = start({ [name]: value });

    expect(await local.exited()).toBe(1);
    expect(local.output()).toContain(`${name}: expected`);
  });
});

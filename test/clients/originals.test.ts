/** The original's clients, unchanged, in a browser and in Python (`originals/`). In Node: `test/contracts/c-original-clients.test.ts`. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alert, freshId, log, OPERATIONS, status } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { originalSource } from '../helpers/originals.ts';

const PYTHON = process.env['PYTHON'] ?? 'python3';
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

let own: OwnRun;
let browser: Browser;
beforeAll(async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}: install it (apt-get install chromium), or name another with CHROMIUM=…`);
  try {
    execFileSync(PYTHON, ['-c', 'import websockets'], { stdio: 'ignore' });
  } catch {
    throw new Error(`${PYTHON} has no websockets: python3 -m venv .venv && .venv/bin/pip install websockets, then PYTHON=.venv/bin/python`);
  }
  own = await ownRun();
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await own?.run.stop();
});

/** Waits until this many connections have announced themselves. */
const announced = (count: number) =>
  own.eventually(
    async () => own.logs.filter((line) => line.includes('"client info"')).length,
    (found) => found >= count,
  );

test('the Python example gets every broadcast without subscribing, and stays connected', { timeout: 60_000 }, async () => {
  const file = join(tmpdir(), `client-${freshId()}.py`);
  await writeFile(file, await originalSource('client.py', own.url));
  const child = spawn(PYTHON, ['-u', file], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PYTHONIOENCODING: 'utf-8' } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  try {
    await announced(1);
    await own.publish(Object.values(OPERATIONS).map((event) => event()));
    for (const type of ['connected', 'connection_status', ...Object.keys(OPERATIONS)])
      await own.eventually(
        async () => output,
        (text) => text.includes(`'type': '${type}'`),
      );
    const mark = `mark-${freshId()}`;
    await own.publish([alert({ title: mark })]);
    await own.eventually(
      async () => output,
      (text) => text.includes(mark),
    );
    expect(child.exitCode).toBeNull();
  } finally {
    child.kill('SIGKILL');
    await rm(file);
  }
});

test.each(['connect.js', 'manager.js'])('%s works unchanged in a browser', { timeout: 60_000 }, async (name) => {
  const page = await browser.newPage({ bypassCSP: true });
  const before = own.logs.filter((line) => line.includes('"client info"')).length;
  await page.goto(`${own.url}/api/health`);
  await page.evaluate(`
    var received = [];
    var handleWebSocketMessage = (message) => received.push(message.type);
    var connectWebSocket = () => received.push('reconnects');
    var handlers = ['handleStatusUpdate', 'handleServiceEvent', 'handleAlert', 'handlePong'];
    for (const one of handlers) Object.defineProperty(Object.prototype, one, { value: () => received.push(one) });
  `);
  // shortens the timers of the example
  await page.evaluate('{ const real = setInterval.bind(window); window.setInterval = (work, ms) => real(work, Math.min(ms, 300)); }');
  await page.addScriptTag({ content: await originalSource(name, own.url) });
  await announced(before + 1);

  await own.publish([status({ uptime: freshId() }), alert(), log()]);

  const wanted =
    name === 'connect.js'
      ? ['connection_status', 'status_update', 'alert', 'log_update']
      : ['handleStatusUpdate', 'handleAlert', 'handlePong'];
  const received = await own.eventually(
    () => page.evaluate<string[]>('received'),
    (found) => wanted.every((one) => found.includes(one)),
  );
  expect(received).not.toContain('reconnects');
  await page.close();
});

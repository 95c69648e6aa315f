/**
 * The agent from the packed package, in an empty folder, against a local run, or the deployment of PUSH_URL: then AGENT_KEY is the key
 * of an agent `web-1` with the service `posco_news`. And what only a real queue shows of webhooks.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../../core/version.ts';
import { addAgent, isRunning } from '../helpers/agent.ts';
import { connect, type Message, ofType } from '../helpers/client.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { shortLived } from '../helpers/short-lived.ts';
import { within } from '../helpers/within.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const here = describe.skipIf(process.platform !== 'linux');
/** Five tries with pauses between, of a real clock. */
const WEBHOOK_MS = 120_000;

let own: OwnRun | null;
let url: string;
let key: string;
const folder = mkdtempSync(join(tmpdir(), 'push-packed-agent-'));
const program = join(folder, 'node_modules/.bin/realtime-push-agent');
let agent: ChildProcess | undefined;
beforeAll(async () => {
  const given = process.env['PUSH_URL'];
  own = given ? null : await runWith({ ALLOW_ANONYMOUS_CONTROL: 'true' });
  url = given ?? own?.url ?? '';
  key = own ? await addAgent(own.run, 'web-1', ['posco_news']) : (process.env['AGENT_KEY'] ?? '');
  const npm = (words: string[], cwd: string) => execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  npm(['pack', '--pack-destination', folder], join(ROOT, 'client'));
  npm(['install', '--no-audit', '--no-fund', '--offline', `./realtime-push-client-${VERSION}.tgz`], folder);
}, 120_000);
afterAll(async () => {
  agent?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  await own?.run.stop();
});

const dial = shortLived();
const dataOf = (message: Message) => message['data'] as Record<string, unknown>;
const pidOf = (message: Message) => (dataOf(message)['details'] as { pid: number }).pid;
const config = (text: string): void => writeFileSync(join(folder, 'agent.json'), text, { mode: 0o600 });

here('the packed agent', () => {
  test('works with three lines of config', { timeout: 60_000 }, async () => {
    config(`{"agent": "web-1",\n "url": "${url}",\n "key": "${key}"}`);
    const { stdout } = await promisify(execFile)(program, ['--check'], { cwd: folder });
    expect(stdout).toBe('agent.json is good: 0 services, 0 logs\n');
    const dashboard = await connect(url);
    dashboard.send({ type: 'subscribe', data: { event_types: ['status_update'] } });
    await dashboard.until(ofType('subscribed'));
    agent = spawn(program, [], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    const mine = (message: Message): boolean => message['type'] === 'status_update' && dataOf(message)['active_services'] === 0;
    expect(dataOf(await dashboard.until(mine))['uptime']).toBeGreaterThan(0);
    await dashboard.close();
  });

  test('takes a service that is added to its config, and restarts it', { timeout: 60_000 }, async () => {
    const one = await dial(url);
    one.send({ type: 'subscribe', data: { event_types: ['service_event'] } });
    await one.until(ofType('subscribed'));
    const of = (type: string) => (message: Message) => message['type'] === 'service_event' && dataOf(message)['event_type'] === type;
    const service = { command: [process.execPath, '-e', 'setInterval(() => process.ppid === 1 && process.exit(), 1000)'] };
    config(JSON.stringify({ agent: 'web-1', url, key, services: { posco_news: service } }));
    const before = pidOf(await one.until(of('started')));
    one.send({ type: 'service_control', data: { service_id: 'posco_news', action: 'restart' } });
    const after = pidOf(await one.until(of('restarted')));
    expect([isRunning(before), isRunning(after)]).toEqual([false, true]);
    config(JSON.stringify({ agent: 'web-1', url, key }));
    await one.until(of('stopped'));
    agent?.kill('SIGTERM');
    expect(await once(agent as ChildProcess, 'exit')).toEqual([0, null]);
  });
});

test('a webhook is refused at once for what it asks, and tried again until it has failed for what the network says', {
  timeout: WEBHOOK_MS + 30_000,
}, async () => {
  const one = await dial(url);
  const send = (to: string): void => one.send({ type: 'send_webhook', data: { webhook_type: 'discord', url: to, message: 'hello' } });
  for (const [to, code] of [
    ['https://hooks.elsewhere.example/x', 'PERMISSION_DENIED'],
    ['http://discord.com/api/webhooks/1/x', 'PERMISSION_DENIED'],
    ['https://127.0.0.1/x', 'PERMISSION_DENIED'],
  ] as const) {
    send(to);
    expect(dataOf(await one.until(ofType('error')))).toMatchObject({ error_code: code });
  }
  // where no address leads out of this machine, the name cannot be found
  send('https://discord.com/api/webhooks/1/canary-secret');
  const settled = async (): Promise<Message> => {
    while (!one.received.some(ofType('webhook_event'))) await once(one.socket, 'message');
    return one.received.find(ofType('webhook_event')) as Message;
  };
  const outcome = await within(settled(), 'the outcome of the webhook', () => one.received, WEBHOOK_MS);
  expect(dataOf(outcome)).toMatchObject({ webhook_type: 'discord', url: 'https://discord.com/api/webhooks/...' });
  expect(['sent', 'failed']).toContain(dataOf(outcome)['event_type']);
  expect(JSON.stringify(one.received)).not.toContain('canary-secret');
});

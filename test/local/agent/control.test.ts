/** The agent as a process, against the local run: it runs services, and dashboards control them. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type AgentHome, type AgentProcess, addAgent, agentHome, isRunning, markedWith } from '../../helpers/agent.ts';
import { type Client, type Message, ofType } from '../../helpers/client.ts';
import { type OwnRun, runWith } from '../../helpers/local.ts';
import { renderDashboard } from '../../helpers/original-dashboard.ts';
import { shortLived } from '../../helpers/short-lived.ts';

/** Runs until it is asked to end. */
const OBEYS = 'setInterval(() => 0, 1e6)';
const IGNORES = `process.on('SIGTERM', () => 0); ${OBEYS}`;
const service = (code: string, more: object = {}) => ({ command: [process.execPath, '-e', code], ...more });

/** The agent reads `/proc`. */
const here = describe.skipIf(process.platform !== 'linux');

let own: OwnRun;
let home: AgentHome;
let agent: AgentProcess;
let key: string;
const SERVICES = ['posco_news', 'stubborn', 'family', 'no_program', 'elsewhere'];
beforeAll(async () => {
  [own, home] = await Promise.all([runWith({ ALLOW_ANONYMOUS_CONTROL: 'true' }), agentHome()]);
  key = await addAgent(own.run, 'web-1', SERVICES);
  home.config(config());
  agent = home.start();
  await agent.says('connected to');
}, 120_000);
afterAll(async () => {
  await home.remove();
  await own.run.stop();
});
const config = (services: object = {}) => ({
  agent: 'web-1',
  url: own.url,
  key,
  every: 1,
  services: {
    posco_news: service(OBEYS, { name: 'POSCO 뉴스', port: 8081 }),
    stubborn: service(IGNORES, { grace: 1 }),
    // a child that outlives its parent, unless the whole group is ended
    family: service(`require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(IGNORES)}]); ${OBEYS}`, { grace: 1 }),
    no_program: { command: ['/nowhere/at-all'] },
    ...services,
  },
});

const dial = shortLived();
const marked = (id: string): number[] => markedWith(`${home.state}#${id}`);
const dashboard = () => dial(own.run.url);
const control = (one: Client, service_id: string, action: string, options: object = {}): void =>
  one.send({ type: 'service_control', data: { service_id, action, options } });
const dataOf = (message: Message) => message['data'] as Record<string, unknown>;
const pidOf = (message: Message) => (dataOf(message)['details'] as { pid: number }).pid;
const about = (service_id: string, event_type?: string) => (message: Message) =>
  message['type'] === 'service_event' &&
  dataOf(message)['service_id'] === service_id &&
  (event_type === undefined || dataOf(message)['event_type'] === event_type);
/** The service's last event, once it has announced itself. */
const statusOf = (service_id: string): Promise<Message> =>
  own.eventually(
    async () => {
      const one = await dashboard();
      control(one, service_id, 'status');
      return one.until(({ type }) => type === 'service_event' || type === 'error');
    },
    ({ type }) => type === 'service_event',
  );
/** Its pid, once it has announced itself. */
const pidNow = async (service_id: string): Promise<number> =>
  pidOf(
    await own.eventually(
      () => statusOf(service_id),
      (message) => dataOf(message)['status'] === 'running',
    ),
  );

here('an agent', () => {
  test('starts the services of its config, and says so; one that cannot be started is an error', async () => {
    expect(dataOf(await statusOf('posco_news'))).toEqual({
      service_id: 'posco_news',
      service_name: 'POSCO 뉴스',
      event_type: 'started',
      status: 'running',
      message: 'POSCO 뉴스 was started',
      details: { pid: expect.any(Number), port: 8081 },
    });
    expect(isRunning(await pidNow('posco_news'))).toBe(true);
    expect(dataOf(await statusOf('no_program'))).toMatchObject({
      event_type: 'error',
      status: 'failed',
      message: expect.stringContaining('ENOENT'),
    });
  });

  test('restarts one, and the answer carries the new pid', async () => {
    const before = await pidNow('posco_news');
    const asker = await dashboard();
    control(asker, 'posco_news', 'restart', { force: false, timeout: 30 });
    const answer = await asker.until(about('posco_news'));
    expect(dataOf(answer)).toMatchObject({ event_type: 'restarted', status: 'running', command_id: expect.any(String) });
    expect(pidOf(answer)).not.toBe(before);
    expect([isRunning(before), isRunning(pidOf(answer))]).toEqual([false, true]);
    expect(marked('posco_news')).toEqual([pidOf(answer)]);
  });

  test("restarts posco_news for the original's React dashboard, unchanged", async () => {
    const before = await pidNow('posco_news');
    const heard: Message[] = [];
    const closed: Promise<unknown>[] = [];
    class Overheard extends WebSocket {
      constructor(url: string) {
        super(url);
        closed.push(once(this, 'close'));
        this.on('message', (data) => heard.push(JSON.parse(String(data)) as Message));
      }
    }
    const original = await renderDashboard(own.url, Overheard);
    try {
      await own.eventually(
        async () => original.text(),
        (text) => text.includes('연결됨'),
      );
      original.restart();
      const answer = await own.eventually(async () => heard.find(about('posco_news', 'restarted')), Boolean);
      expect(pidOf(answer as Message)).not.toBe(before);
      expect([isRunning(before), isRunning(pidOf(answer as Message))]).toEqual([false, true]);
    } finally {
      original.unmount();
      await Promise.all(closed);
      original.close();
    }
  });

  test('kills at once, if it is told to, what ignores its signal; and otherwise after its time', async () => {
    const asker = await dashboard();
    for (const options of [{ force: true }, {}]) {
      const before = await pidNow('stubborn');
      control(asker, 'stubborn', 'restart', options);
      const answer = await asker.until(about('stubborn', 'restarted'));
      expect(isRunning(before)).toBe(false);
      expect(isRunning(pidOf(answer))).toBe(true);
    }
  });

  test('stops a service with everything that it started, and starts it again', async () => {
    await pidNow('family');
    await own.eventually(
      async () => marked('family').length,
      (count) => count === 2,
    );
    const asker = await dashboard();
    control(asker, 'family', 'stop');
    expect(dataOf(await asker.until(about('family')))).toMatchObject({ event_type: 'stopped', status: 'stopped', details: {} });
    expect(marked('family')).toEqual([]);
    control(asker, 'family', 'start');
    expect(isRunning(pidOf(await asker.until(about('family'))))).toBe(true);
  });

  test('starts again what died, and says when it died and when it is well', async () => {
    const before = await pidNow('posco_news');
    const watcher = await dashboard();
    watcher.send({ type: 'subscribe', data: { event_types: ['service_event'] } });
    await watcher.until(ofType('subscribed'));
    process.kill(before, 'SIGKILL');
    expect(dataOf(await watcher.until(about('posco_news')))).toMatchObject({
      event_type: 'error',
      status: 'failed',
      message: 'POSCO 뉴스 ended by SIGKILL; it is started again',
    });
    const well = await watcher.until(about('posco_news'));
    expect(dataOf(well)).toMatchObject({ event_type: 'recovered', status: 'running' });
    expect(pidOf(well)).not.toBe(before);
    expect(isRunning(pidOf(well))).toBe(true);
  });

  test('tells how its machine is', async () => {
    const watcher = await dashboard();
    watcher.send({ type: 'subscribe', data: { event_types: ['status_update'] } });
    const { active_services, uptime, memory_percent, network_status } = dataOf(await watcher.until(ofType('status_update')));
    expect(active_services).toBe(3);
    expect(uptime).toBeGreaterThan(0);
    expect(memory_percent).toBeGreaterThan(0);
    expect(['connected', 'disconnected']).toContain(network_status);
  });

  test('takes a changed config: a service that is new, one that is gone, one that differs; and keeps the old one if it is no good', async () => {
    const watcher = await dashboard();
    watcher.send({ type: 'subscribe', data: { event_types: ['service_event', 'alert'] } });
    await watcher.until(ofType('subscribed'));
    const before = await pidNow('posco_news');
    const { no_program: _, ...services } = config({
      posco_news: service(OBEYS, { name: 'POSCO 뉴스', port: 9999 }),
      elsewhere: service(OBEYS),
    }).services;
    home.config({ ...config(), services });
    agent.signal('SIGHUP');
    expect(dataOf(await watcher.until(about('posco_news')))).toMatchObject({
      event_type: 'config_changed',
      status: 'running',
      details: { pid: before, port: 9999, config_file: join(home.folder, 'agent.json') },
    });
    expect(dataOf(await watcher.until(about('elsewhere')))).toMatchObject({ event_type: 'started' });
    home.config({ ...config(), services: { posco_news: {} } });
    agent.signal('SIGHUP');
    const alert = dataOf(await watcher.until(ofType('alert')));
    expect(alert['message']).toContain('services.posco_news: expected a command or a unit, and not both');
    expect(isRunning(before)).toBe(true);
    home.config({ ...config(), services });
  });

  test('writes its key into no log, and its state is for its owner alone', () => {
    expect(agent.output()).not.toContain(key);
    expect(readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8')).not.toContain(key);
  });
});

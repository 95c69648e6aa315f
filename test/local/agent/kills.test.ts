/** The agent is killed, and another comes: nothing runs twice, nothing is forgotten, and who asked is answered in time. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type AgentHome, type AgentProcess, addAgent, agentHome, isRunning, markedWith } from '../../helpers/agent.ts';
import { type Client, type Message, ofType } from '../../helpers/client.ts';
import { type OwnRun, runWith } from '../../helpers/local.ts';
import { shortLived } from '../../helpers/short-lived.ts';

const OBEYS = 'setInterval(() => 0, 1e6)';
const IGNORES = `process.on('SIGTERM', () => 0); ${OBEYS}`;
const here = describe.skipIf(process.platform !== 'linux');

let own: OwnRun;
let key: string;
beforeAll(async () => {
  own = await runWith({ ALLOW_ANONYMOUS_CONTROL: 'true' });
  key = await addAgent(own.run, 'web-1', ['news']);
}, 120_000);
afterAll(() => own.run.stop());

let home: AgentHome;
let agent: AgentProcess;
beforeEach(async () => {
  home = await agentHome();
});
afterEach(() => home.remove());

const begin = async (code = OBEYS, grace = 10): Promise<void> => {
  home.config({ agent: 'web-1', url: own.url, key, services: { news: { command: [process.execPath, '-e', code], grace } } });
  agent = home.start();
  await agent.says('connected to');
  await agent.says('news was started');
};
const kill = async (): Promise<void> => {
  agent.signal('SIGKILL');
  await agent.ended;
};
const again = async (): Promise<void> => {
  agent = home.start();
  await agent.says('connected to');
};
const dial = shortLived();
const dataOf = (message: Message) => message['data'] as Record<string, unknown>;
const pidOf = (message: Message) => (dataOf(message)['details'] as { pid: number }).pid;
const marked = () => markedWith(`${home.state}#news`);
const ask = (one: Client, action: string, options: object = {}): void =>
  one.send({ type: 'service_control', data: { service_id: 'news', action, options } });
const answer = (one: Client) => one.until(({ type }) => type === 'service_event' || type === 'error', 'the answer');

here('after a kill', () => {
  test('the service goes on, and the next agent takes it up: it is not started twice', async () => {
    await begin();
    const before = marked();
    expect(before).toHaveLength(1);
    await kill();
    expect(marked()).toEqual(before);
    await again();
    const one = await dial(own.url);
    ask(one, 'start');
    expect(dataOf(await answer(one))).toMatchObject({ message: 'news runs already', details: { pid: before[0] } });
    expect(marked()).toEqual(before);
  });

  test('half-way through a command who asked gets an error in time; the next agent does not do it late', async () => {
    await begin(IGNORES, 60);
    const [before] = marked();
    const one = await dial(own.url);
    ask(one, 'restart', { timeout: 2 });
    await agent.says('restart news');
    await kill();
    const { type, data } = await answer(one);
    expect([type, (data as { error_code: string }).error_code]).toEqual(['error', 'INTERNAL_SERVER_ERROR']);
    const watcher = await dial(own.url);
    watcher.send({ type: 'subscribe', data: { event_types: ['service_event'] } });
    await watcher.until(ofType('subscribed'));
    await again();
    const told = dataOf(await watcher.until(({ data }) => (data as { event_type?: string }).event_type === 'error'));
    expect(told).toMatchObject({ message: 'the agent was ended while it carried out restart; the service runs' });
    expect(marked()).toEqual([before]);
  });

  test('half-way through a command that has time left, the next agent finishes it, once', async () => {
    await begin(IGNORES, 2);
    const [before = 0] = marked();
    const one = await dial(own.url);
    ask(one, 'restart', { timeout: 60 });
    await agent.says('restart news');
    await kill();
    await again();
    const told = await answer(one);
    expect(dataOf(told)).toMatchObject({ event_type: 'restarted', status: 'running' });
    expect([isRunning(before), marked()]).toEqual([false, [pidOf(told)]]);
  });

  test('a service that was stopped stays stopped', async () => {
    await begin();
    const one = await dial(own.url);
    ask(one, 'stop');
    expect(dataOf(await answer(one))).toMatchObject({ event_type: 'stopped' });
    await kill();
    await again();
    expect(marked()).toEqual([]);
    ask(one, 'start');
    expect(dataOf(await answer(one))).toMatchObject({ event_type: 'started' });
  });

  test('a command that came while no agent was there is carried out if there is time', async () => {
    await begin();
    const [before = 0] = marked();
    await kill();
    const one = await dial(own.url);
    ask(one, 'restart', { timeout: 60 });
    await own.run.settled();
    await again();
    expect(pidOf(await answer(one))).not.toBe(before);
    expect(marked()).toHaveLength(1);
  });
});

here('a second agent', () => {
  test('in the same folder is refused by name', async () => {
    await begin();
    const second = home.start();
    await second.ended;
    expect(second.output()).toContain(`another agent uses ${home.state}: process ${agent.pid}`);
  });
});

here('an agent that is ended', () => {
  test('leaves its services running, and the folder to the next', async () => {
    await begin();
    const before = marked();
    agent.signal('SIGTERM');
    await agent.ended;
    expect(agent.output()).toContain('the services go on');
    expect(marked()).toEqual(before);
    await again();
    expect(marked()).toEqual(before);
  });
});

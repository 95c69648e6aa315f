/** `service_control` by URL: a command reaches the service's agent, and its outcome the client that asked. The agent is played here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addAgent } from '../helpers/agent.ts';
import { type Client, type Message, ofType } from '../helpers/client.ts';
import { freshId } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { shortLived } from '../helpers/short-lived.ts';

let own: OwnRun;
let agentKey: string;
const SERVICES = ['posco_news', 'cache', '뉴스 감시'];
beforeAll(async () => {
  own = await runWith({ ALLOW_ANONYMOUS_CONTROL: 'true' });
  agentKey = await addAgent(own.run, 'web-1', SERVICES);
}, 120_000);
afterAll(() => own.run.stop());

const dial = shortLived();
const dashboard = () => dial(own.run.url);
const changed = (over: object = {}) => ({
  source: 'ops.monitor',
  detailType: 'ServiceChanged',
  detail: {
    service_id: 'posco_news',
    service_name: 'POSCO',
    event_type: 'started',
    status: 'running',
    message: 'up',
    details: { pid: 1 },
    ...over,
  },
});
const publishAs = async (key: string, ...events: object[]) =>
  (await own.post('/internal/events', { events, lane: 'direct' }, { 'x-api-key': key })).body;

/** An agent that is connected, and has told of its service. */
async function agent(): Promise<Client> {
  const one = await dial(own.run.url, { headers: { 'x-api-key': agentKey } });
  one.send({ type: 'subscribe', topic: 'ops:command:web-1' });
  await one.until(ofType('subscribed'));
  expect(await publishAs(agentKey, changed())).toMatchObject({ accepted: 1 });
  await own.run.settled();
  return one;
}
const control = (one: Client, action: string, more: object = {}): void =>
  one.send({ type: 'service_control', data: { service_id: 'posco_news', action, ...more } });
const dataOf = (message: Message) => message['data'] as Record<string, unknown>;
const restarted = (command: Message) =>
  changed({ event_type: 'restarted', details: { pid: 2 }, command_id: dataOf(command)['command_id'] });

describe('a command', () => {
  test('reaches the agent, and the outcome the client that asked, though it is subscribed to nothing', async () => {
    const [web1, asker, other] = [await agent(), await dashboard(), await dashboard()];
    control(asker, 'restart', { options: { force: true } });
    const command = await web1.until(ofType('service_command'));
    expect(dataOf(command)).toEqual({
      command_id: expect.any(String),
      service_id: 'posco_news',
      action: 'restart',
      options: { force: true },
      expires_at: expect.any(String),
    });
    expect(command['position']).toEqual(expect.any(String));

    await publishAs(agentKey, restarted(command));
    const event = await asker.until(ofType('service_event'));
    expect(dataOf(event)).toMatchObject({ event_type: 'restarted', details: { pid: 2 }, command_id: dataOf(command)['command_id'] });
    expect(event).not.toHaveProperty('position');
    expect(dataOf(event)).not.toHaveProperty('agent');
    await own.run.settled();
    own.run.clock.advance(60_000);
    await own.run.settled();
    await asker.quiet(ofType('error'));
    await other.quiet(ofType('service_event'));
  });

  test.each([
    ['gets all broadcasts', { type: 'client_info', data: { client_id: 'd' } }, 'connection_status'],
    ['is subscribed', { type: 'subscribe', data: { event_types: ['service_event'] } }, 'subscribed'],
    [
      'is subscribed to other services',
      { type: 'subscribe', data: { event_types: ['service_event'], filters: { service_ids: ['x'] } } },
      'subscribed',
    ],
  ])('brings its outcome once to a client that %s', async (_, first, answer) => {
    const [web1, asker] = [await agent(), await dashboard()];
    asker.send(first);
    await asker.until(ofType(answer));
    control(asker, 'restart');
    await publishAs(agentKey, restarted(await web1.until(ofType('service_command'))));
    await asker.until(ofType('service_event'));
    await own.run.settled();

    await asker.quiet(ofType('service_event'));
  });

  test('that its agent does not answer in time is an error to the client, and only to that one', async () => {
    const [web1, asker, other] = [await agent(), await dashboard(), await dashboard()];
    await web1.close();
    control(asker, 'stop', { options: { timeout: 5 } });
    await own.run.settled();
    await asker.quiet(ofType('error'));
    own.run.clock.advance(5_000);
    const error = await asker.until(ofType('error'));
    expect(dataOf(error)).toMatchObject({
      error_code: 'INTERNAL_SERVER_ERROR',
      error_message: expect.stringContaining('agent web-1 did not answer within 5 s'),
      details: { service_id: 'posco_news', action: 'stop' },
    });
    await other.quiet(ofType('error'));

    // the agent finds it when it is back, and sees that it has expired
    const back = await dial(own.run.url, { headers: { 'x-api-key': agentKey } });
    back.send({ type: 'subscribe', topic: 'ops:command:web-1', last: 1 });
    const command = await back.until(ofType('service_command'));
    expect(Date.parse(String(dataOf(command)['expires_at']))).toBeLessThanOrEqual(own.run.clock.now());
  });

  test('to a service that nobody announced, or that has no agent, is an error', async () => {
    const asker = await dashboard();
    control(asker, 'restart', { service_id: 'nothing' });
    expect(dataOf(await asker.until(ofType('error')))).toMatchObject({
      error_code: 'SERVICE_NOT_FOUND',
      details: { service_id: 'nothing' },
    });
    const id = `plain-${freshId()}`;
    await own.publish([changed({ service_id: id })]);
    await own.run.settled();
    control(asker, 'restart', { service_id: id });
    expect(dataOf(await asker.until(ofType('error')))).toMatchObject({
      error_code: 'SERVICE_NOT_FOUND',
      error_message: expect.stringContaining('no agent'),
    });
    control(asker, 'status', { service_id: id });
    expect(dataOf(await asker.until(ofType('service_event')))).toMatchObject({ service_id: id, event_type: 'started' });
  });

  test('has ten minutes at most', async () => {
    const [web1, asker] = [await agent(), await dashboard()];
    control(asker, 'start', { options: { timeout: 86_400 } });
    const { expires_at } = dataOf(await web1.until(ofType('service_command')));
    expect(Date.parse(String(expires_at))).toBeLessThanOrEqual(own.run.clock.now() + 600_000);
  });
});

test('status is answered by the last event at once, also when the agent is away', async () => {
  const web1 = await agent();
  await publishAs(agentKey, changed({ event_type: 'stopped', status: 'stopped', details: {} }));
  await own.run.settled();
  await web1.close();
  const asker = await dashboard();
  control(asker, 'status');
  const event = await asker.until(ofType('service_event'));
  expect(event).toMatchObject({ data: { event_type: 'stopped', status: 'stopped' }, broadcast_id: expect.stringMatching(/^service_/) });
});

describe('the key of an agent', () => {
  test('publishes of its own services and machine, and of nothing else', async () => {
    const status = {
      source: 'ops.monitor',
      detailType: 'StatusUpdated',
      detail: { cpu_percent: 1, memory_percent: 1, disk_usage: 1, network_status: 'up', uptime: 1, active_services: 1 },
    };
    expect(await publishAs(agentKey, status, changed({ service_id: '뉴스 감시' }))).toMatchObject({ accepted: 2 });
    const refused = await publishAs(agentKey, changed({ service_id: 'other' }), {
      source: 'market.price',
      detailType: 'TradingHalted',
      detail: {},
    });
    expect(refused).toMatchObject({
      accepted: 0,
      rejected: [
        { error_code: 'PERMISSION_DENIED', error_message: expect.stringContaining('agent web-1 publishes of posco_news') },
        { error_code: 'PERMISSION_DENIED' },
      ],
    });
  });

  test('cannot speak for another agent', async () => {
    const key = await addAgent(own.run, 'web-2', ['posco_news']);
    await publishAs(agentKey, changed());
    await publishAs(agentKey, { ...changed(), detail: { ...changed().detail, agent: 'web-2' } });
    await own.run.settled();
    const second = await dial(own.run.url, { headers: { 'x-api-key': key } });
    second.send({ type: 'subscribe', topic: 'ops:command:web-1' });
    expect(dataOf(await second.until(ofType('error')))).toMatchObject({ error_code: 'PERMISSION_DENIED' });
    second.send({ type: 'subscribe', topic: 'ops:command:web-2' });
    await second.until(ofType('subscribed'));
    const asker = await dashboard();
    control(asker, 'restart');
    await own.run.settled();
    await second.quiet(ofType('service_command'));
  });

  test('is needed to read its commands: nobody else may, and a wrong key opens no connection', async () => {
    const anybody = await dashboard();
    for (const topic of ['ops:command:web-1', 'ops:outcome:x', 'ops:service:posco_news']) {
      anybody.send({ type: 'subscribe', topic });
      expect(dataOf(await anybody.until(ofType('error')))).toMatchObject({ error_code: 'PERMISSION_DENIED' });
    }
    await expect(dial(own.run.url, { headers: { 'x-api-key': 'wrong' } })).rejects.toThrow('401');
    await expect(dial(own.run.url, { headers: { 'x-api-key': own.key } })).rejects.toThrow('401');
    expect(
      anybody.received
        .filter(ofType('error'))
        .map((one) => JSON.stringify(one))
        .join(),
    ).not.toContain('ops:outcome:{');
  });
});

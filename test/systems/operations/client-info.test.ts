import { beforeEach, describe, expect, test } from 'vitest';
import type { Announcement } from '../../../core/ports/announcements.ts';
import { VERSION } from '../../../core/version.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let say: Awaited<ReturnType<typeof senderOf>>;
let announced: Announcement[];
let openedAtMs: number;
beforeEach(async () => {
  ports = memoryPorts();
  openedAtMs = ports.clock.now();
  say = await senderOf(ports, 'a');
  announced = [];
  const { announce } = ports.announcements;
  ports.announcements.announce = (connectionId, announcement, ...others) => {
    announced.push(announcement);
    return announce(connectionId, announcement, ...others);
  };
});
const announce = (over: Record<string, unknown> = {}) => say({ type: 'client_info', data: { client_id: 'me', ...over } });
const status = () => posted(ports, 'a').find(({ type }) => type === 'connection_status');
const refusal = () => posted(ports, 'a').findLast(({ type }) => type === 'error')?.['data'];

describe('connection_status', () => {
  test('says what is served, by how many and since when', async () => {
    await senderOf(ports, 'b');
    ports.clock.nowMs = openedAtMs + 90_999;
    await announce();

    const timestamp = new Date(openedAtMs + 90_999).toISOString();
    expect(status()).toEqual({
      type: 'connection_status',
      data: {
        status: 'connected',
        server_version: VERSION,
        server_time: timestamp,
        client_count: 2,
        uptime_seconds: 90,
        features: [
          'real_time_metrics',
          'log_streaming',
          'posco_integration',
          'webhook_notifications',
          'service_control',
          'recovery',
          'filters',
          'explicit',
        ],
      },
      timestamp,
      broadcast_id: expect.stringMatching(/^connection_id\d+$/),
    });
  });

  test('names no feature that the client may not use', async () => {
    ports.settings = { ...ports.settings, WEBHOOK_HOSTS: '' };
    await announce();
    expect(status()?.['data']).toMatchObject({ features: expect.not.arrayContaining(['webhook_notifications']) });
    ports.gateway.posted.length = 0;
    ports.identity = { ...ports.identity, anonymousControl: false };
    await announce();
    expect(status()?.['data']).toMatchObject({
      features: ['real_time_metrics', 'log_streaming', 'posco_integration', 'recovery', 'filters', 'explicit'],
    });
  });

  test('has an uptime of 0 while nothing was counted, and when the clock of the first connection was ahead', async () => {
    ports.connections.counted = async () => ({ count: 0, sinceMs: null });
    await announce();
    expect(status()?.['data']).toMatchObject({ uptime_seconds: 0, client_count: 0 });
    ports.gateway.posted.length = 0;
    ports.connections.counted = async () => ({ count: 1, sinceMs: ports.clock.now() + 60_000 });
    await announce();

    expect(status()?.['data']).toMatchObject({ uptime_seconds: 0 });
  });

  test('comes before anything else is delivered', async () => {
    await announce();

    expect(posted(ports, 'a').map(({ type }) => type)).toEqual(['connected', 'connection_status']);
  });
});

describe('an announcement', () => {
  test('is kept, without the fields that are missing or null', async () => {
    await announce({ client_type: 'dashboard', language: null, features: ['recovery'], unknown: 'x' });

    expect(announced).toEqual([{ clientId: 'me', info: { client_type: 'dashboard', features: ['recovery'] } }]);
  });

  test('is kept up to its lengths', async () => {
    const features = Array.from({ length: 25 }, () => 'x'.repeat(80));
    await announce({ user_agent: 'x'.repeat(500), features });

    expect(announced[0]?.info).toEqual({ user_agent: 'x'.repeat(300), features: Array(20).fill('x'.repeat(50)) });
  });

  test('subscribes to the six broadcasts, unless the client wants to choose', async () => {
    await announce();
    const all = await ports.ownSubscriptions.list('a');
    const other = await senderOf(ports, 'b');
    await other({ type: 'client_info', data: { client_id: 'you', features: ['explicit'] } });

    expect(all.map(({ topic, unasked }) => [topic, unasked])).toEqual(
      ['status_update', 'service_event', 'alert', 'log_update', 'webhook_event', 'posco_event'].map((type) => [`ops:${type}`, true]),
    );
    expect(await ports.ownSubscriptions.list('b')).toEqual([]);
  });

  test('needs a client id of 1 to 200 characters', async () => {
    await announce({ client_id: 'x'.repeat(200) });
    expect(announced).toHaveLength(1);

    await announce({ client_id: '' });
    expect(refusal()).toMatchObject({ error_message: 'message.data.client_id: expected a name' });
    await announce({ client_id: 'x'.repeat(201) });
    expect(refusal()).toMatchObject({ error_message: expect.stringMatching(/^message\.data\.client_id: Invalid length/) });
    await announce({ client_id: undefined });
    expect(refusal()).toMatchObject({ error_message: 'message.data.client_id: is missing' });

    expect(announced).toHaveLength(1);
  });
});

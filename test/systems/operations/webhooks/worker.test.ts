/** The worker that sends webhooks, against a TLS server on loopback. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkerPorts } from '../../../../core/channels/system.ts';
import type { AcceptedEvent } from '../../../../core/ports/events.ts';
import { nameOf, post } from '../../../../systems/operations/adapters/webhook-post.ts';
import { type Net, sendWebhook, type WebhookWork } from '../../../../systems/operations/webhooks/worker.ts';
import { HOOK_CERTIFICATE, type Hook, hookServer } from '../../../helpers/hook-server.ts';
import { type MemoryPorts, memoryPorts } from '../../../helpers/ports.ts';

let memory: MemoryPorts;
let ports: WorkerPorts;
let events: AcceptedEvent[];
let again: { work: WebhookWork; seconds: number }[];
let hook: Hook;
let logged: unknown[];
let answer: (response: ServerResponse) => void;
let addresses: string[];
beforeEach(async () => {
  memory = memoryPorts();
  [events, again, addresses, logged] = [[], [], ['1.1.1.1'], []];
  answer = (response) => response.end('{}');
  hook = await hookServer((response) => answer(response));
  const lane = {
    send: async (some: readonly AcceptedEvent[]) => {
      events.push(...some);
      return [];
    },
  };
  ports = {
    ...memory,
    report: { ...memory.report, info: (...all) => void logged.push(all), warn: (...all) => void logged.push(all) },
    settings: { WEBHOOK_HOSTS: 'hooks.test,127.0.0.1' },
    lanes: { bus: lane, direct: lane },
    work: { put: async (_: string, work: object, seconds = 0) => void again.push({ work: work as WebhookWork, seconds }) },
  };
});
afterEach(() => hook.stop());

const net = (timeMs?: number): Net => ({
  resolve: async () => addresses,
  post: (url, address, body) => post(url, address, body, { connect: hook.connect, ca: HOOK_CERTIFICATE, timeMs }),
  nameOf,
  random: () => 1,
});
const SECRET = 'canary-secret';
const webhook = (over: Partial<WebhookWork> = {}): WebhookWork => ({
  webhook_id: 'w',
  webhook_type: 'discord',
  url: `https://hooks.test/api/webhooks/1/${SECRET}?x=1`,
  body: { content: 'hi' },
  tries: 0,
  ...over,
});
const outcome = () => events.map(({ detail }) => detail);

describe('a webhook', () => {
  test('arrives, under its name, at the address that was found', async () => {
    await sendWebhook(webhook(), ports, net());
    expect(hook.got).toEqual([{ url: `/api/webhooks/1/${SECRET}?x=1&wait=true`, host: 'hooks.test', body: { content: 'hi' } }]);
    expect(hook.dialed).toEqual(['1.1.1.1']);
    expect(outcome()).toMatchObject([
      {
        webhook_id: 'w',
        event_type: 'sent',
        status: 'success',
        response_code: 200,
        url: 'https://hooks.test/api/webhooks/...',
        message: 'hooks.test answered 200',
      },
    ]);
  });

  test.each([
    ['429 with Retry-After', 429, { 'retry-after': '7' }, 7],
    ['429 without', 429, {}, 60],
    ['500', 500, {}, 2],
    ['503 with Retry-After', 503, { 'retry-after': '30' }, 30],
  ])('that is answered %s is tried again, and told only in the end', async (_, status, headers, seconds) => {
    answer = (response) => response.writeHead(status, headers).end();
    await sendWebhook(webhook(), ports, net());
    expect(again).toMatchObject([{ work: { tries: 1 }, seconds }]);
    expect(events).toEqual([]);
    await sendWebhook(webhook({ tries: 4 }), ports, net());
    expect(outcome()).toMatchObject([
      { event_type: 'failed', status: 'failed', response_code: status, message: `hooks.test answered ${status}; 5 tries` },
    ]);
  });

  test.each([
    ['404', 404, {}, 'answered 404'],
    ['a redirect', 302, { location: 'http://169.254.169.254/' }, 'redirects are not followed'],
  ])('that is answered %s has failed at once', async (_, status, headers, says) => {
    answer = (response) => response.writeHead(status, headers).end();
    await sendWebhook(webhook(), ports, net());
    expect(again).toEqual([]);
    expect(outcome()).toMatchObject([{ event_type: 'failed', response_code: status, message: expect.stringContaining(says) }]);
    expect(hook.got.length).toBe(1);
  });

  test('whose answer never ends, or never comes, costs bounded memory and time', async () => {
    let written = 0;
    answer = (response) => {
      response.writeHead(200);
      const more = (): void => {
        for (let room = true; room && written < 10_000_000; ) {
          written += 65_536;
          room = response.write(Buffer.alloc(65_536));
        }
        if (written < 10_000_000) response.once('drain', more);
      };
      more();
    };
    await sendWebhook(webhook(), ports, net());
    expect(outcome()).toMatchObject([{ event_type: 'sent' }]);
    expect(written).toBeLessThan(10_000_000);
    answer = () => undefined;
    await sendWebhook(webhook({ webhook_id: 'slow' }), ports, net(100));
    expect(again).toMatchObject([{ work: { webhook_id: 'slow', tries: 1 } }]);
    await sendWebhook(webhook({ tries: 4 }), ports, net(100));
    expect(outcome().at(-1)).toMatchObject({ event_type: 'failed', response_code: 0, message: 'hooks.test: no answer in time; 5 tries' });
  });

  test.each([[['127.0.0.1']], [['::ffff:127.0.0.1']], [['169.254.169.254']], [['1.1.1.1', '10.0.0.1']]])(
    'to a name at %j is sent nowhere',
    async (found) => {
      addresses = found;
      await sendWebhook(webhook(), ports, net());
      expect(outcome()).toMatchObject([{ event_type: 'failed', response_code: 0, message: expect.stringContaining('not public') }]);
      expect(hook.dialed).toEqual([]);
    },
  );

  test('goes where the first look-up said, whatever a second one would say', async () => {
    let asked = 0;
    const resolve = async () => [asked++ === 0 ? '1.1.1.1' : '127.0.0.1'];
    await sendWebhook(webhook(), ports, { ...net(), resolve });
    expect([asked, hook.dialed]).toEqual([1, ['1.1.1.1']]);
  });

  test('to a literal that is not public is sent nowhere, although its host is allowed', async () => {
    await sendWebhook(webhook({ url: 'https://127.1/x' }), ports, net());
    expect(outcome()).toMatchObject([{ message: expect.stringContaining('not public') }]);
    expect(hook.dialed).toEqual([]);
  });

  test('to a server with a certificate of somebody else is not sent', async () => {
    await sendWebhook(webhook({ tries: 4 }), ports, {
      ...net(),
      post: (url, address, body) => post(url, address, body, { connect: hook.connect }),
    });
    expect(hook.got).toEqual([]);
    expect(outcome()).toMatchObject([{ event_type: 'failed', message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT') }]);
  });

  test('leaves its address in no log and no outcome', async () => {
    answer = (response) => response.writeHead(500).end(`{"message":"${SECRET}"}`);
    for (const tries of [0, 4]) await sendWebhook(webhook({ tries }), ports, net());
    await sendWebhook(webhook({ tries: 4 }), ports, { ...net(), resolve: async () => Promise.reject(new Error(`no ${SECRET}`)) });
    expect(JSON.stringify([events, logged])).not.toContain(SECRET);
    expect(events.length).toBe(2);
    expect(logged).toContainEqual(['webhook', expect.objectContaining({ to: expect.stringMatching(/^hooks\.test#[0-9a-f]{8}$/) })]);
  });
});

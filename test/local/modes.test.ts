/** `APP_PUSH_MODE`: what is turned off says so, with what to use instead. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { assemble } from '../../bin/assemble.ts';
import { readSettings } from '../../bin/settings.ts';
import { readTemplate } from '../../local/base/template.ts';
import { systems } from '../../systems/index.ts';
import { connect, ofType } from '../helpers/client.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { connected, frame, rawStomp } from '../helpers/stomp.ts';

const QUEUE = '/api/push/websocket/waiting-queue/subscriptions';
const STREAM = '/api/v1/waiting-queue/subscribe?userId=1&concertId=1';

/** Status and body of a handshake that is refused. */
const handshake = (url: string, protocols: string[]): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, protocols);
    socket.on('open', () => reject(new Error('the handshake was accepted')));
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });

describe('sse', () => {
  let own: OwnRun;
  beforeAll(async () => {
    own = await runWith({ APP_PUSH_MODE: 'sse' });
  });
  afterAll(() => own.run.stop());

  test('turns registrations off, but not their removal', async () => {
    expect(await own.post(QUEUE, { userId: 1, concertId: 1 }, {})).toMatchObject({
      status: 409,
      body: {
        error_code: 'CHANNEL_DISABLED',
        details: { mode: 'sse', use: expect.stringContaining('/api/v1/waiting-queue/subscribe') as string },
      },
    });
    expect((await fetch(`${own.url}${QUEUE}?userId=1&concertId=1`, { method: 'DELETE' })).status).toBe(204);
  });

  test('turns STOMP handshakes off', async () => {
    const { status, body } = await handshake(own.url, ['v12.stomp']);

    expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 409,
      body: { error_code: 'CHANNEL_DISABLED', details: { mode: 'sse' } },
    });
  });

  test('tells an old STOMP client by an ERROR', async () => {
    const client = await rawStomp(own.url, { protocols: [] });
    client.send(frame('CONNECT', { 'accept-version': '1.2' }));

    expect((await client.expect('ERROR')).headers.get('error-code')).toBe('CHANNEL_DISABLED');
    await client.closed();
    expect(client.texts.join('')).not.toContain('{');
  });

  test('leaves JSON as it is, and streams', async () => {
    const client = await connect(own.url);
    client.send({ type: 'subscribe', topic: 'price:005930' });
    await client.until(ofType('subscribed'));
    await client.close();

    const response = await fetch(own.url + STREAM);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });
});

describe('websocket', () => {
  let own: OwnRun;
  beforeAll(async () => {
    own = await runWith({ APP_PUSH_MODE: 'websocket' });
  });
  afterAll(() => own.run.stop());

  test('turns event streams off', async () => {
    expect(await own.get(STREAM)).toMatchObject({
      status: 409,
      body: { error_code: 'CHANNEL_DISABLED', details: { mode: 'websocket', use: expect.stringContaining('STOMP') as string } },
    });
  });

  test('leaves registrations and STOMP as they are', async () => {
    expect((await own.post(QUEUE, { userId: 1, concertId: 1 }, {})).status).toBe(200);
    const client = await connected(own.url);
    client.close();
  });
});

test('only a deployment with event streams has a function URL; the deployed default has none', async () => {
  const urls = async (settings: Record<string, string>): Promise<number> => {
    const assembly = await assemble({ settings: readSettings(settings, systems), systems, bundled: true });
    const count = readTemplate(assembly.templateFile).ofType('AWS::Lambda::Url').length;
    assembly.remove();
    return count;
  };

  expect(await urls({})).toBe(0);
  expect(await urls({ APP_PUSH_MODE: 'sse' })).toBe(1);
  expect(await urls({ APP_PUSH_MODE: 'both' })).toBe(1);
});

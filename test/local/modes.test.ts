/** `APP_PUSH_MODE`: a transport that is turned off answers so, with the one to use instead. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { assemble } from '../../bin/assemble.ts';
import { readSettings } from '../../bin/settings.ts';
import { readTemplate } from '../../local/base/template.ts';
import { systems } from '../../systems/index.ts';
import { connect, ofType } from '../helpers/client.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { connected, frame, rawStomp } from '../helpers/stomp.ts';
import { within } from '../helpers/within.ts';

const QUEUE = '/api/push/websocket/waiting-queue/subscriptions';
const STREAM = '/api/v1/waiting-queue/subscribe?userId=1&concertId=1';

/** Status and body of a handshake that is refused. */
const refusal = (url: string, protocols: string[]): Promise<{ status: number; body: string }> => {
  const refused = new Promise<{ status: number; body: string }>((resolve, reject) => {
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
  return within(refused, 'a refused handshake');
};

describe('mode sse', () => {
  let own: OwnRun;
  beforeAll(async () => {
    own = await runWith({ APP_PUSH_MODE: 'sse' });
  });
  afterAll(() => own.run.stop());

  test('turns off registrations, but not their removal', async () => {
    expect(await own.post(QUEUE, { userId: 1, concertId: 1 }, {})).toMatchObject({
      status: 409,
      body: {
        error_code: 'CHANNEL_DISABLED',
        details: { mode: 'sse', use: expect.stringContaining('/api/v1/waiting-queue/subscribe') as string },
      },
    });
    expect((await fetch(`${own.url}${QUEUE}?userId=1&concertId=1`, { method: 'DELETE' })).status).toBe(204);
  });

  test('turns off STOMP handshakes', async () => {
    const { status, body } = await refusal(own.url, ['v12.stomp']);

    expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 409,
      body: { error_code: 'CHANNEL_DISABLED', details: { mode: 'sse' } },
    });
  });

  test('answers a STOMP client without subprotocol with an ERROR', async () => {
    const client = await rawStomp(own.url, { protocols: [] });
    client.send(frame('CONNECT', { 'accept-version': '1.2' }));

    expect((await client.expect('ERROR')).headers.get('error-code')).toBe('CHANNEL_DISABLED');
    await client.closed();
    expect(client.texts.join('')).not.toContain('{');
  });

  test('leaves JSON and event streams on', async () => {
    const client = await connect(own.url);
    client.send({ type: 'subscribe', topic: 'price:005930' });
    await client.until(ofType('subscribed'));
    await client.close();

    const response = await fetch(own.url + STREAM);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });
});

describe('mode websocket', () => {
  let own: OwnRun;
  beforeAll(async () => {
    own = await runWith({ APP_PUSH_MODE: 'websocket' });
  });
  afterAll(() => own.run.stop());

  test('turns off event streams', async () => {
    expect(await own.get(STREAM)).toMatchObject({
      status: 409,
      body: { error_code: 'CHANNEL_DISABLED', details: { mode: 'websocket', use: expect.stringContaining('STOMP') as string } },
    });
  });

  test('leaves registrations and STOMP on', async () => {
    expect((await own.post(QUEUE, { userId: 1, concertId: 1 }, {})).status).toBe(200);
    const client = await connected(own.url);
    client.close();
  });
});

test('only a deployment with event streams has a function URL; the default has none', async () => {
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

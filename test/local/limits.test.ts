/** Limits that are settings, and clients that behave badly, against a local run of their own. */
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Assembly, assemble } from '../../bin/assemble.ts';
import { readSettings } from '../../bin/settings.ts';
import { systems } from '../../systems/index.ts';
import { connect, ofType } from '../helpers/client.ts';
import { tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';

let assembly: Assembly;
let own: OwnRun;
beforeAll(async () => {
  const given = { ALLOWED_ORIGINS: 'https://a.example, https://b.example', MAX_CONNECTIONS: '3', MAX_SUBSCRIPTIONS_PER_CONNECTION: '5' };
  assembly = await assemble({ settings: readSettings(given, systems), systems });
  own = await ownRun({ templateFile: assembly.templateFile });
});
afterAll(async () => {
  await own.run.stop();
  assembly.remove();
});

const connections = async (): Promise<unknown> => (await own.get('/api/health')).body['connections'];

/** Sends a request's head as it stands, and gives what comes back. */
async function raw(head: string, leaveAtOnce = false): Promise<string> {
  const socket = dial(Number(new URL(own.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(head);
  if (leaveAtOnce) socket.resetAndDestroy();
  await once(socket, 'close');
  return answer;
}
const upgrade = (path: string, over: string[] = []): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...over,
    '',
    '',
  ].join('\r\n');

describe('the handshake', () => {
  test('is refused with 403 from an origin that is not allowed, and passes from one that is', async () => {
    await expect(connect(own.url, { headers: { origin: 'https://evil.example' } })).rejects.toThrow('403');
    const client = await connect(own.url, { headers: { origin: 'https://b.example' } });

    expect((await client.next())['type']).toBe('connected');
    await client.close();
    await own.eventually(connections, (count) => count === 0);
  });

  test('is refused with 503 past MAX_CONNECTIONS, and that one is not counted', async () => {
    const clients = [await connect(own.url), await connect(own.url), await connect(own.url)];

    await expect(connect(own.url)).rejects.toThrow('503');
    expect(await connections()).toBe(3);

    await Promise.all(clients.map((client) => client.close()));
    await own.eventually(connections, (count) => count === 0);
  });

  test('that is broken off leaves no connection behind', async () => {
    for (let index = 0; index < 10; index++) await raw(upgrade('/ws'), true);
    await own.run.settled();

    await own.eventually(connections, (count) => count === 0);
  });

  test.each([
    ['without a key', upgrade('/ws').replace(/Sec-WebSocket-Key: [^\r]*\r\n/, '')],
    ['with subprotocols that are none', upgrade('/ws', ['Sec-WebSocket-Protocol: a,,b'])],
    ['of an old version', upgrade('/ws').replace('Version: 13', 'Version: 8')],
  ])('%s is a bad request, and asks no function', async (_, head) => {
    expect(await raw(head)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await connections()).toBe(0);
  });

  test('to another path is answered 404, also where the client resets at once', async () => {
    for (let index = 0; index < 50; index++) await raw(upgrade('/nowhere'), true);

    const answer = await raw(upgrade('/nowhere'));
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('NOT_FOUND');
  });
});

describe('subscriptions', () => {
  test('past the limit are refused by name; the others of the message are served', async () => {
    const client = await connect(own.url);
    const topics = Array.from({ length: 7 }, (_, index) => `price:00000${index}`);

    client.send({ type: 'subscribe', topics });
    const error = await client.until(ofType('error'));

    expect(error['data']).toMatchObject({ error_code: 'TOO_MANY_SUBSCRIPTIONS', details: { limit: 5, topics: topics.slice(5) } });
    expect(client.received.filter(ofType('subscribed')).map((message) => message['topic'])).toEqual(topics.slice(0, 5));
    await client.close();
  });

  test('do not count once they have ended', async () => {
    const client = await connect(own.url);

    for (let index = 0; index < 12; index++) {
      client.send({ type: 'subscribe', topic: `price:10000${index.toString(36).toUpperCase()}` });
      await client.until(ofType('subscribed'));
      client.send({ type: 'unsubscribe', topic: `price:10000${index.toString(36).toUpperCase()}` });
      await client.until(ofType('unsubscribed'));
    }

    expect(client.received.filter(ofType('error'))).toEqual([]);
    await client.close();
  });

  test('that ended in the same breath stay ended', async () => {
    const client = await connect(own.url);
    await client.next();

    for (const type of ['subscribe', 'unsubscribe']) client.send({ type, topic: 'price:200000' });
    await client.until(ofType('unsubscribed'));
    await own.run.settled();
    await own.publish([tick('200000', 1)]);
    await own.run.settled();

    expect(client.received.filter(ofType('price_update'))).toEqual([]);
    await client.close();
  });

  test('are served and told although posts are throttled in between', { timeout: 60_000 }, async () => {
    const client = await connect(own.url);
    await client.next();
    await own.publish([tick('300000', 7), tick('300001', 8)]);
    await own.run.settled();
    own.run.levers.throttlePosts = 0.6;

    client.send({ type: 'subscribe', topics: ['price:300000', 'price:300001'] });
    await client.until(ofType('subscribed'));
    await client.until(ofType('subscribed'));
    own.run.levers.throttlePosts = 0;
    await own.run.settled();
    for (let rounds = 0; own.run.pending() > 0 && rounds < 10; rounds++) {
      own.run.clock.advance(5_000);
      await own.run.settled();
    }

    const told = client.received.filter(ofType('price_update')).map((message) => message['ticker']);
    expect(new Set(told)).toEqual(new Set(['300000', '300001']));
    await client.close();
  });
});

describe('publishing', () => {
  test('a number that no table holds is rejected with its place; the others of the request go through', async () => {
    const answer = await own.post('/internal/events', {
      events: [tick('400000', 1, { change_rate: 1e300 }), tick('400001', 2, { change_rate: 1e-200 })],
      lane: 'direct',
    });
    await own.run.settled();

    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ index: 0 }] });
    expect((await own.get('/internal/price/400001')).body['change_rate']).toBe(0);
  });

  test('a detail nested beyond measure is rejected, and the others go through', async () => {
    const deep = `{"events":[{"source":"market.price","detailType":"PriceTicked","detail":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}},${JSON.stringify(tick('400002', 3))}],"lane":"direct"}`;

    expect(await own.post('/internal/events', deep)).toMatchObject({
      status: 202,
      body: { accepted: 1, rejected: [{ index: 0, error_code: 'INVALID_MESSAGE_FORMAT' }] },
    });
  });

  test('the same id at another place of another request is the same event', async () => {
    const event = { ...tick('400003', 3), id: 'the-same' };
    await own.publish([event]);
    await own.run.settled();
    const { body: before } = await own.get('/api/kr/stocks/400003/history');

    await own.publish([tick('400004', 4), event]);
    await own.run.settled();

    expect((await own.get('/api/kr/stocks/400003/history')).body['position']).toBe(before['position']);
  });
});

describe('trouble of ours', () => {
  test('is told as INTERNAL_SERVER_ERROR with a request id, and nothing of what it was', { timeout: 60_000 }, async () => {
    const client = await connect(own.url);
    const subscribe = { type: 'subscribe', topic: 'price:500000' };
    client.send(subscribe);
    await client.until(ofType('subscribed'));
    own.run.levers.failCalls = 1;

    // named again, the state is told by a job, which no queue takes now
    client.send(subscribe);
    const error = await client.until(ofType('error'));
    const answer = await own.get('/api/messages/any-id');
    own.run.levers.failCalls = 0;

    expect(error['data']).toEqual({
      error_code: 'INTERNAL_SERVER_ERROR',
      error_message: expect.stringContaining('request id'),
      details: { request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      timestamp: expect.any(String),
    });
    expect(answer).toMatchObject({
      status: 500,
      body: { error_code: 'INTERNAL_SERVER_ERROR', details: { request_id: expect.any(String) } },
    });
    expect(JSON.stringify([error, answer.body])).not.toMatch(/InternalFailure|sqs|bucket|queue/i);
    client.send(subscribe);
    await client.until(ofType('subscribed'));
    await client.close();
  });
});

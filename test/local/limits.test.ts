/** Limits that are settings, and clients that misbehave, on a local run of this file. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Message, ofType } from '../helpers/client.ts';
import { tick } from '../helpers/events.ts';
import { itemsOf, type OwnRun, runWith } from '../helpers/local.ts';
import { headOf, rawHttp, WEBSOCKET } from '../helpers/raw-http.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({
    FRONT_DOOR: 'off',
    ALLOWED_ORIGINS: 'https://A.example/, https://b.example:443,tauri://localhost',
    MAX_CONNECTIONS: '3',
    MAX_SUBSCRIPTIONS_PER_CONNECTION: '5',
  });
});
afterAll(() => own.run.stop());

const connections = async (): Promise<unknown> => (await own.get('/api/health')).body['connections'];

describe('ALLOWED_ORIGINS', () => {
  const seat = '/api/reservations/v5/subscribe?userId=1&seatId=1';
  const allowedTo = async (origin: string, path: string, method = 'GET'): Promise<string | null> => {
    const response = await fetch(own.url + path, { method, headers: { origin, 'access-control-request-method': 'GET' } });
    await response.body?.cancel();
    return response.headers.get('access-control-allow-origin');
  };

  test.each(['https://a.example', 'https://b.example', 'tauri://localhost'])(
    'lets pages of %s connect, and read REST and streams',
    async (origin) => {
      const client = await connect(own.url, { headers: { origin } });
      await client.close();

      expect(await allowedTo(origin, '/api/health')).toBe(origin);
      expect(await allowedTo(origin, '/api/kr/stocks/no/realtime-price')).toBe(origin);
      expect(await allowedTo(origin, '/internal/events', 'OPTIONS')).toBe(origin);
      expect(await allowedTo(origin, seat)).toBe(origin);
    },
  );

  test("lets the deployment's own address connect: some clients send it as their origin", async () => {
    const client = await connect(own.url, { headers: { origin: own.url } });
    await client.close();
  });

  test.each(['https://evil.example', 'https://a.example.evil.example', 'http://a.example', 'null', 'tauri://evil', 'x'])(
    'refuses %s',
    async (origin) => {
      await expect(connect(own.url, { headers: { origin } })).rejects.toThrow('403');

      for (const path of ['/api/health', '/internal/events', seat]) expect(await allowedTo(origin, path)).toBeNull();
      expect(await allowedTo(origin, '/internal/events', 'OPTIONS')).toBeNull();
    },
  );
});

describe('the handshake', () => {
  test('is refused with 403 from an origin that is not allowed, and accepted from one that is', async () => {
    await expect(connect(own.url, { headers: { origin: 'https://evil.example' } })).rejects.toThrow('403');
    const client = await connect(own.url, { headers: { origin: 'https://b.example' } });

    expect((await client.next())['type']).toBe('connected');
    await client.close();
    await own.eventually(connections, (count) => count === 0);
  });

  test('that fails takes no place', async () => {
    own.run.levers.failCalls = 1;
    for (let count = 0; count < 4; count++) await expect(connect(own.url)).rejects.toThrow('500');
    own.run.levers.failCalls = 0;

    const client = await connect(own.url);
    expect(await connections()).toBe(1);
    await client.close();
    await own.eventually(connections, (count) => count === 0);
  });

  test('is refused with 503 past MAX_CONNECTIONS, and then not counted', async () => {
    const clients = [await connect(own.url), await connect(own.url), await connect(own.url)];

    await expect(connect(own.url)).rejects.toThrow('503');
    expect(await connections()).toBe(3);

    await Promise.all(clients.map((client) => client.close()));
    await own.eventually(connections, (count) => count === 0);
  });

  test('leaves no connection behind if the client resets it', async () => {
    for (let index = 0; index < 10; index++) await rawHttp(own.url, headOf('GET', '/ws', WEBSOCKET), true);
    await own.run.settled();

    await own.eventually(connections, (count) => count === 0);
  });

  test.each([
    ['without a key', 'GET', WEBSOCKET.filter((line) => !line.startsWith('Sec-WebSocket-Key'))],
    ['with malformed subprotocols', 'GET', [...WEBSOCKET, 'Sec-WebSocket-Protocol: a,,b']],
    ['of an old version', 'GET', WEBSOCKET.map((line) => line.replace('Version: 13', 'Version: 8'))],
    ['by POST', 'POST', [...WEBSOCKET, 'Sec-WebSocket-Protocol: v12.stomp']],
  ])('%s is a bad request, and calls no function', async (_, method, headers) => {
    expect(await rawHttp(own.url, headOf(method, '/ws', headers))).toMatch(/^HTTP\/1\.1 400 /);
    expect(await connections()).toBe(0);
  });

  test('with a head over 10,240 bytes is refused with 431, as the platform does', async () => {
    const padding = `X-Padding: ${'x'.repeat(11_000)}`;

    expect(await rawHttp(own.url, headOf('GET', '/ws', [...WEBSOCKET, padding]))).toMatch(/^HTTP\/1\.1 431 /);
    expect(await connections()).toBe(0);
  });

  test('to another path is answered 404, also after clients that reset at once', async () => {
    for (let index = 0; index < 50; index++) await rawHttp(own.url, headOf('GET', '/nowhere', WEBSOCKET), true);

    const answer = await rawHttp(own.url, headOf('GET', '/nowhere', WEBSOCKET));
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('NOT_FOUND');
  });
});

describe('subscriptions', () => {
  test('past the limit are refused by topic; the others of the same message are served', async () => {
    const client = await connect(own.url);
    const topics = Array.from({ length: 7 }, (_, index) => `price:00000${index}`);

    client.send({ type: 'subscribe', topics });
    const error = await client.until(ofType('error'));

    expect(error['data']).toMatchObject({ error_code: 'TOO_MANY_SUBSCRIPTIONS', details: { limit: 5, topics: topics.slice(5) } });
    expect(client.received.filter(ofType('subscribed')).map((message) => message['topic'])).toEqual(topics.slice(0, 5));
    await client.close();
  });

  test('no longer count after their end', async () => {
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

  test('that end right after their start stay ended', async () => {
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

  test('are served and delivered despite throttled posts', { timeout: 60_000 }, async () => {
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

    const tickers = client.received.filter(ofType('price_update')).map((message) => message['ticker']);
    expect(new Set(tickers)).toEqual(new Set(['300000', '300001']));
    await client.close();
  });
});

describe('publishing', () => {
  test('an event with a number that no table can hold is rejected with its index; the others are accepted', async () => {
    const answer = await own.post('/internal/events', {
      events: [tick('400000', 1, { change_rate: 1e300 }), tick('400001', 2, { change_rate: 1e-200 })],
      lane: 'direct',
    });
    await own.run.settled();

    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ index: 0 }] });
    expect((await own.get('/internal/price/400001')).body['change_rate']).toBe(0);
  });

  test('an event nested too deeply is rejected, and the others are accepted', async () => {
    const deep = `{"events":[{"source":"market.price","detailType":"PriceTicked","detail":{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}},${JSON.stringify(tick('400002', 3))}],"lane":"direct"}`;

    expect(await own.post('/internal/events', deep)).toMatchObject({
      status: 202,
      body: { accepted: 1, rejected: [{ index: 0, error_code: 'INVALID_MESSAGE_FORMAT' }] },
    });
  });

  test('an event with the same id in another request is the same event', async () => {
    const event = { ...tick('400003', 3), id: 'the-same' };
    await own.publish([event]);
    await own.run.settled();
    const { body: before } = await own.get('/api/kr/stocks/400003/history');

    await own.publish([tick('400004', 4), event]);
    await own.run.settled();

    expect((await own.get('/api/kr/stocks/400003/history')).body['position']).toBe(before['position']);
  });
});

describe('an internal failure', () => {
  test('is answered INTERNAL_SERVER_ERROR with a request id, and without its cause', { timeout: 60_000 }, async () => {
    const client = await connect(own.url);
    const subscribe = { type: 'subscribe', topic: 'price:500000' };
    client.send(subscribe);
    await client.until(ofType('subscribed'));
    own.run.levers.failCalls = 1;

    // a repeated subscribe needs a job, which no queue accepts now
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

describe('messages that name many topics', () => {
  let flooded: OwnRun;
  beforeAll(async () => {
    flooded = await runWith({});
  });
  afterAll(() => flooded.run.stop());
  const topicsLeftOut = (data: unknown) => (data as { details?: { topics?: string[] } } | undefined)?.details?.topics;
  const topics = (start: number) => Array.from({ length: 500 }, (_, index) => `price:${String(start + index).padStart(6, '0')}`);

  test('count by their topics: of twelve with 500 topics two are served, the others get one error each, and a neighbour waits for nothing', async () => {
    const [flood, neighbour] = [await connect(flooded.url), await connect(flooded.url)];
    for (const client of [flood, neighbour]) await client.next();

    for (let message = 0; message < 12; message++) flood.send({ type: 'unsubscribe', topics: topics(message * 500) });
    neighbour.send({ type: 'subscribe', topic: 'price:999999' });
    await neighbour.until(ofType('subscribed'));
    // on a slow machine the two that are served may run out of their 4 s: that is told apart, with the topics it left out
    const refused = ({ type, data }: Message) => type === 'error' && !topicsLeftOut(data);
    const errors = [];
    while (errors.length < 10) errors.push(await flood.until(refused));

    for (const error of errors)
      expect(error).toMatchObject({ data: { error_code: 'RATE_LIMIT_EXCEEDED', details: { limit_per_second: 100 } } });
    await flooded.run.settled();
    await flood.quiet(refused);
    const served = flood.received.filter(({ type, topic }) => type === 'unsubscribed' && topic !== 'price:ZZZZZZ');
    const leftOut = flood.received.flatMap(({ data }) => topicsLeftOut(data) ?? []);
    expect(served.length + leftOut.length).toBe(1_000);
    for (const client of [flood, neighbour]) await client.close();
  });

  test('leave nothing behind once their requests cannot be in flight any more', async () => {
    const client = await connect(flooded.url);
    await client.next();
    const all = topics(700_000).slice(0, 50);
    // a few at a time: a slow machine does not get through fifty in the 4 s that a message has
    for (let start = 0; start < all.length; start += 10) {
      const some = all.slice(start, start + 10);
      client.send({ type: 'subscribe', topics: some });
      for (const topic of some) expect(await client.until(ofType('subscribed'))).toMatchObject({ topic });
      client.send({ type: 'unsubscribe', topics: some });
      for (const topic of some) expect(await client.until(ofType('unsubscribed'))).toMatchObject({ topic });
    }
    await client.close();
    for (let minutes = 0; minutes < 5; minutes++) {
      flooded.run.clock.advance(60_000);
      await flooded.run.settled();
      await flooded.run.invoke('sweep');
    }
    flooded.run.clock.advance(600_000);
    await flooded.run.expire();

    const left = await itemsOf(flooded.run);
    expect(left.filter((item) => JSON.stringify(item).includes('price:7000'))).toEqual([]);
  });
});

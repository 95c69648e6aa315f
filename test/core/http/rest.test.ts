import { beforeEach, describe, expect, test } from 'vitest';
import type { RestRequest } from '../../../core/channels/system.ts';
import { type RestPorts, routeRequest } from '../../../core/http/rest.ts';
import type { Principal } from '../../../core/identity.ts';
import { alert } from '../../helpers/events.ts';
import { identityOf } from '../../helpers/identity.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const REGISTRATIONS = '/api/push/websocket/reservations/subscriptions';
const STREAM = '/api/reservations/v5/subscribe';
const LARGE = { topic: 'ops:log_update', payload: { type: 'log_update', data: { large: true } }, expiresAtMs: 0 };

let memory: MemoryPorts;
let ports: RestPorts;
let sent: { lane: string; ids: string[] }[];
let notices: [string, object][];
let keysAsked: string[];
let verified: string[];
/** Callers by their token; empty = callers need none. */
let callers: Record<string, Principal>;
/** Keys that publish one source. */
const KEYS: Readonly<Record<string, string>> = { ops: 'ops.monitor', prices: 'market.price' };

beforeEach(() => {
  memory = memoryPorts();
  sent = [];
  notices = [];
  keysAsked = [];
  verified = [];
  callers = {};
  const lane = (name: string) => ({
    send: async (events: readonly { id: string }[]) => {
      sent.push({ lane: name, ids: events.map(({ id }) => id) });
      return [];
    },
  });
  ports = {
    ...memory,
    version: '1.2.3',
    lanes: { bus: lane('bus'), direct: lane('direct') },
    notices: { send: async (type, detail) => void notices.push([type, detail]) },
    keys: {
      holderOf: async (key) => {
        keysAsked.push(key);
        const source = key === 'right' ? '*' : KEYS[key];
        return source === undefined ? null : { source, agent: null };
      },
    },
    get identity() {
      return identityOf(
        async (token) => {
          verified.push(token);
          return callers[token] ?? Promise.reject(new Error(`no such token: ${token}`));
        },
        { required: Object.keys(callers).length > 0 },
      );
    },
  };
});

const request = (method: string, path: string, over: Partial<RestRequest> = {}) =>
  routeRequest({ method, path, query: {}, apiKey: null, token: null, lastEventId: null, body: '', ...over }, ports);

describe('a path', () => {
  test('without a route is not found, and its beginning is quoted', async () => {
    await expect(request('GET', '/api/nothing')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is nothing at /api/nothing',
    });
    await expect(request('GET', `/${'x'.repeat(500)}`)).rejects.toMatchObject({ message: `there is nothing at /${'x'.repeat(199)}` });
  });

  test.each([
    ['POST', '/api/health', '/api/health takes GET, not POST'],
    ['DELETE', '/api/kr/prices/gaps', '/api/kr/prices/gaps takes GET, not DELETE'],
    ['GET', '/internal/events', '/internal/events takes POST, not GET'],
    ['HEAD', '/internal/events', '/internal/events takes POST, not HEAD'],
    ['PUT', REGISTRATIONS, `${REGISTRATIONS} takes POST, DELETE, not PUT`],
    ['POST', STREAM, `${STREAM} takes GET, not POST`],
  ])('that does not take %s lists the methods that it takes', async (method, path, message) => {
    await expect(request(method, path)).rejects.toMatchObject({ code: 'METHOD_NOT_ALLOWED', message });
  });
});

test('HEAD is served as GET', async () => {
  await (await memory.connections.recount())(3);

  expect(await request('HEAD', '/api/health')).toEqual(await request('GET', '/api/health'));
  expect(await request('HEAD', '/api/health')).toMatchObject({ status: 200, body: { status: 'ok', version: '1.2.3', connections: 3 } });
});

test('HEAD does not open an event stream, since it would use up what a GET delivers', async () => {
  await expect(request('HEAD', STREAM, { query: { userId: '1', seatId: '2' } })).rejects.toMatchObject({
    code: 'METHOD_NOT_ALLOWED',
    message: 'an event stream is asked for by GET, not HEAD',
  });
});

test('health names the version, what is open, and the part of each system', async () => {
  await memory.catalogue.addHeard('price:005930', 1);

  expect(await request('GET', '/api/health')).toEqual({
    status: 200,
    body: expect.objectContaining({ status: 'ok', version: '1.2.3', connections: 0, topics: 1, feed: expect.anything() }),
  });
});

test("a system's route gets the parameters of its path", async () => {
  await expect(request('GET', '/api/kr/stocks/005930/realtime-price')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'no quote of 005930 is known',
  });
});

describe('a deployment with identity', () => {
  beforeEach(() => {
    callers = { good: { userId: '100', roles: ['ops:read'] } };
  });

  test('asks for a token, and serves the caller that it names', async () => {
    await expect(request('GET', '/api/kr/prices/gaps')).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });

    expect(await request('GET', '/api/kr/prices/gaps', { token: 'good' })).toEqual({ status: 200, body: { gaps: [] } });
    expect(verified).toEqual(['good']);
  });

  test('asks for none on an open route', async () => {
    expect(await request('GET', '/api/health')).toMatchObject({ status: 200 });
    await expect(request('POST', '/internal/events')).rejects.toThrow('this needs a key');

    expect(verified).toEqual([]);
  });

  test('asks for the token of a stream once', async () => {
    await request('GET', STREAM, { token: 'good', query: { userId: '100', seatId: '1' } });

    expect(verified).toEqual(['good']);
  });

  test('says that a method is wrong without asking for a token', async () => {
    await expect(request('POST', '/api/kr/prices/gaps')).rejects.toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });
});

describe('the body of a message by reference', () => {
  test('is served to a caller that may subscribe to its topic', async () => {
    callers = { reader: { userId: '1', roles: ['ops:read'] } };
    await memory.bodies.put('b1', LARGE);

    expect(await request('GET', '/api/messages/b1', { token: 'reader' })).toEqual({ status: 200, body: LARGE.payload });
  });

  test('is refused to a caller that may not, with whom it is for', async () => {
    callers = { other: { userId: '1', roles: [] } };
    await memory.bodies.put('b1', LARGE);

    await expect(request('GET', '/api/messages/b1', { token: 'other' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'this message is of a topic that needs the role ops:read',
    });
  });

  test('is refused if no channel has its topic any more', async () => {
    await memory.bodies.put('b1', { ...LARGE, topic: 'gone:1' });

    await expect(request('GET', '/api/messages/b1')).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: 'this message is of a topic that no longer exists',
    });
  });

  test('that is not there, or has expired, is not found', async () => {
    await expect(request('GET', '/api/messages/none')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is no such message, or it has expired',
    });
  });
});

describe('publishing', () => {
  const { source, detailType, detail } = alert();
  const body = JSON.stringify({ events: [{ id: 'a1', source, detailType, detail }] });

  test('without a key says that it needs one, and asks for none', async () => {
    await expect(request('POST', '/internal/events', { body })).rejects.toMatchObject({
      code: 'AUTHENTICATION_REQUIRED',
      message: 'this needs a key in the header x-api-key',
    });

    expect(keysAsked).toEqual([]);
  });

  test('with a wrong key says that the key is wrong', async () => {
    await expect(request('POST', '/internal/events', { body, apiKey: 'wrong' })).rejects.toMatchObject({
      code: 'AUTHENTICATION_REQUIRED',
      message: 'the key in x-api-key is not valid',
    });

    expect(keysAsked).toEqual(['wrong']);
    expect(sent).toEqual([]);
  });

  test('with a valid key accepts the events', async () => {
    expect(await request('POST', '/internal/events', { body, apiKey: 'right' })).toEqual({
      status: 202,
      body: { accepted: 1, rejected: [] },
    });

    expect(sent).toEqual([{ lane: 'bus', ids: ['a1'] }]);
  });

  test("with a source's key accepts its events, and rejects each other one", async () => {
    expect((await request('POST', '/internal/events', { body, apiKey: 'ops' })).body).toEqual({ accepted: 1, rejected: [] });

    expect((await request('POST', '/internal/events', { body, apiKey: 'prices' })).body).toMatchObject({
      accepted: 0,
      rejected: [
        { index: 0, error_code: 'PERMISSION_DENIED', error_message: 'this key publishes events of market.price, and nothing else' },
      ],
    });
  });

  test("with a source's key disconnects nobody", async () => {
    await expect(request('POST', '/internal/users/u/disconnect', { apiKey: 'ops' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

describe('a registration', () => {
  const body = JSON.stringify({ userId: 100, seatId: 55 });
  const TOPIC = '/topic/reservations/55/100';

  test('is made by POST, answers the transport and the destination, and notifies upstreams', async () => {
    expect(await request('POST', REGISTRATIONS, { body })).toEqual({
      status: 200,
      body: { transport: 'websocket', destination: TOPIC },
      position: { epoch: expect.any(String), offset: 0 },
    });

    expect(await memory.registrations.find(TOPIC)).toMatchObject({ position: { offset: 0 } });
    expect(notices).toEqual([['Registered', { userId: 100, channel: 'reservations', destination: TOPIC }]]);
  });

  test('starts after what the log holds, also beyond its hint', async () => {
    await memory.topics.raiseHead(TOPIC, 1);
    for (const offset of [1, 2, 3]) await memory.topics.putLog(TOPIC, offset, `e${offset}`, {});
    await request('POST', REGISTRATIONS, { body });

    expect((await memory.registrations.find(TOPIC))?.position.offset).toBe(3);
  });

  test('starts where an event stream of the user may have been cut', async () => {
    const { epoch } = await memory.topics.create(TOPIC);
    await memory.topics.raiseHead(TOPIC, 1);
    for (const offset of [1, 2, 3]) await memory.topics.putLog(TOPIC, offset, `e${offset}`, {});
    await memory.places.register(TOPIC, { position: { epoch, offset: 2 }, stamp: 'place' }, memory.clock.now() + 60_000);
    await request('POST', REGISTRATIONS, { body });

    expect((await memory.registrations.find(TOPIC))?.position.offset).toBe(2);
  });

  test('has a short body: a longer one is refused before it is read', async () => {
    const long = JSON.stringify({ userId: 100, seatId: 55, pad: 'x'.repeat(10_000) });

    await expect(request('POST', REGISTRATIONS, { body: long })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit_bytes: 10_000 },
    });
  });

  test('lapses after a day', async () => {
    await request('POST', REGISTRATIONS, { body });
    memory.clock.nowMs += 86_400_000 - 1;
    expect(await memory.registrations.find(TOPIC)).not.toBeNull();
    memory.clock.nowMs += 1;

    expect(await memory.registrations.find(TOPIC)).toBeNull();
  });

  test('is deleted by DELETE, which answers nothing and notifies upstreams', async () => {
    await request('POST', REGISTRATIONS, { body });
    notices.length = 0;

    expect(await request('DELETE', REGISTRATIONS, { query: { userId: '100', seatId: '55' } })).toEqual({ status: 204, body: null });

    expect(await memory.registrations.find(TOPIC)).toBeNull();
    expect(notices).toEqual([['Unregistered', { userId: 100, channel: 'reservations', destination: TOPIC }]]);
  });

  test('is of no use where only event streams are offered, and says what to use', async () => {
    ports = { ...ports, mode: 'sse' };

    await expect(request('POST', REGISTRATIONS, { body })).rejects.toMatchObject({
      code: 'CHANNEL_DISABLED',
      message: expect.stringContaining(`GET /api/v1/waiting-queue/subscribe, ${STREAM}`),
    });
    expect(notices).toEqual([]);
  });

  test('takes a JSON object', async () => {
    for (const wrong of ['7', 'null', '"text"'])
      await expect(request('POST', REGISTRATIONS, { body: wrong })).rejects.toMatchObject({
        message: 'expected a JSON object with the parameters of the topic',
      });
  });

  test("of another user's topic is refused, to make and to delete", async () => {
    callers = { other: { userId: '101', roles: [] } };

    await expect(request('POST', REGISTRATIONS, { body, token: 'other' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(request('DELETE', REGISTRATIONS, { query: { userId: '100', seatId: '55' }, token: 'other' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(notices).toEqual([]);
  });
});

test('an event stream over REST is a finite answer: a comment, if there is nothing to say', async () => {
  expect(await request('GET', STREAM, { query: { userId: '100', seatId: '55' } })).toEqual({
    status: 200,
    body: ': keep-alive\n',
  });
});

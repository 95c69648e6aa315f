import { beforeEach, describe, expect, test } from 'vitest';
import { type ConnectPorts, type ConnectRequest, connect, expectConnect } from '../../../core/connections/connect.ts';
import { GREETING_MS } from '../../../core/connections/greeting.ts';
import { UnavailableError } from '../../../core/errors.ts';
import type { Principal, TicketUse } from '../../../core/identity.ts';
import type { Membership } from '../../../core/ports/clients.ts';
import type { KeyHolder } from '../../../core/ports/events.ts';
import { identityOf } from '../../helpers/identity.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const ME: Principal = { userId: 'me', roles: ['reader'] };
const KEYS: Readonly<Record<string, KeyHolder>> = {
  agents: { source: 'ops.monitor', agent: { id: 'web-1', only: [{ field: 'service_id', values: ['news'] }] } },
  publishers: { source: '*', agent: null },
};
let memory: MemoryPorts;
let ports: ConnectPorts;
beforeEach(() => {
  redeemed = [];
  memory = memoryPorts();
  ports = { ...memory, keys: { holderOf: async (key) => KEYS[key] ?? null }, allowedOrigins: '*', maxConnections: 0 };
});
let redeemed: TicketUse[];
const withIdentity = (): void => {
  ports = {
    ...ports,
    identity: identityOf(async (token) => (token === 'good' ? ME : Promise.reject(new Error(`a bad token: ${token}`))), {
      redeem: async (use) => {
        redeemed.push(use);
        return use.ticket === 'good' ? ME : Promise.reject(new Error(`a bad ticket: ${use.ticket}`));
      },
    }),
  };
};

const open = (over: Partial<ConnectRequest> = {}) =>
  connect(
    {
      connectionId: 'c',
      connectedAtMs: memory.clock.now(),
      origin: null,
      host: null,
      sourceIp: '10.0.0.1',
      protocols: null,
      authorization: null,
      apiKey: null,
      ticket: null,
      ...over,
    },
    ports,
  );
/** The connections that are counted for a client. */
const counted = async (client: string): Promise<Membership[]> => {
  const look = { connectionId: 'look', connectedAtMs: memory.clock.now() };
  const members = await memory.clients.enter(client, look, memory.clock.now());
  await memory.clients.leave(client, look);
  return members.filter(({ connectionId }) => connectionId !== 'look');
};

describe('an origin', () => {
  test.each([
    ['*', 'https://any.example', true],
    ['https://shop.example', 'https://shop.example', true],
    ['https://shop.example', null, true],
    ['https://a.example,https://b.example', 'https://b.example', true],
    ['https://a.example,https://b.example', 'https://a.example', true],
    ['https://a.example,https://b.example', 'https://b.example', true],
    ['https://shop.example', 'https://evil.example', false],
    ['https://shop.example', 'http://shop.example', false],
    ['https://shop.example', 'https://shop.example.evil.example', false],
    ['https://shop.example', 'shop.example', false],
    ['https://a.example,https://b.example', 'https://a.example,https://b.example', false],
    ['https://a.example,https://b.example', 'null', false],
    ['https://a.example,*', 'https://evil.example', false],
  ])('with %j allowed, %j may connect: %s', async (allowedOrigins, origin, allowed) => {
    ports = { ...ports, allowedOrigins };
    const connecting = open({ origin });

    if (allowed) await expect(connecting).resolves.toBeNull();
    else await expect(connecting).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect((await memory.connections.counted()).count).toBe(allowed ? 1 : 0);
  });

  test('that is refused is quoted, up to 200 characters', async () => {
    ports = { ...ports, allowedOrigins: 'https://shop.example' };

    await expect(open({ origin: 'x'.repeat(300) })).rejects.toThrow(`connections from ${'x'.repeat(200)} are not allowed here`);
  });
});

describe('a subprotocol', () => {
  test.each([
    [null, null, 'json'],
    ['push.json.v1', 'push.json.v1', 'json'],
    ['bearer.good, push.json.v1', 'push.json.v1', 'json'],
    ['bearer.good', null, 'json'],
    ['chat', null, 'json'],
    ['v12.stomp', 'v12.stomp', 'stomp-1.2'],
    ['v10.stomp,v11.stomp', 'v11.stomp', 'stomp-1.1'],
    [' v10.stomp , chat', 'v10.stomp', 'stomp-1.0'],
    ['push.json.v1,v11.stomp', 'v11.stomp', 'stomp-1.1'],
    ['v13.stomp', null, 'json'],
  ])('offered as %j is echoed as %j, and the client speaks %s', async (protocols, echoed, dialect) => {
    expect(await open({ protocols })).toBe(echoed);

    expect(await memory.connections.read('c')).toMatchObject({ dialect, admitted: dialect === 'json' });
  });
});

describe('a connection', () => {
  test('is stored with what the handshake says, and lives a little longer than two hours', async () => {
    const connectedAtMs = memory.clock.now();
    await open();

    expect(await memory.connections.read('c')).toMatchObject({
      connectionId: 'c',
      clientId: 'id0',
      connectedAtMs,
      expiresAtMs: connectedAtMs + 2 * 3_600_000 + 10 * 60_000,
      sourceIp: '10.0.0.1',
      principal: null,
      announced: null,
    });
    expect(memory.report.lines).toEqual(['connected']);
  });

  test('of JSON is greeted by a job, when an old STOMP client would have sent its first frame', async () => {
    const atMs = memory.clock.now();
    await open();

    expect(memory.jobs.jobs).toEqual([{ job: { kind: 'greet', connectionId: 'c', atMs: atMs + GREETING_MS }, delaySeconds: 0 }]);
  });

  test('of STOMP is greeted by its CONNECT, and not by a job', async () => {
    await open({ protocols: 'v12.stomp' });

    expect(memory.jobs.jobs).toEqual([]);
  });

  test('of STOMP is refused where only event streams are offered; of JSON it is accepted', async () => {
    ports = { ...ports, mode: 'sse' };

    await expect(open({ protocols: 'v12.stomp' })).rejects.toMatchObject({
      code: 'CHANNEL_DISABLED',
      details: { mode: 'sse' },
    });
    expect(await memory.connections.read('c')).toBeNull();
    expect(await open()).toBeNull();
  });

  test('of STOMP is accepted where WebSocket is offered', async () => {
    ports = { ...ports, mode: 'websocket' };

    expect(await open({ protocols: 'v12.stomp' })).toBe('v12.stomp');
  });
});

describe('with identity', () => {
  beforeEach(withIdentity);

  test.each([
    ['the header', { authorization: 'Bearer good' }],
    ['the subprotocol', { protocols: 'push.json.v1, bearer.good' }],
    ['the header rather than the subprotocol', { authorization: 'Bearer good', protocols: 'bearer.bad' }],
  ])('the token comes in %s', async (_, over) => {
    await open(over);

    expect(await memory.connections.read('c')).toMatchObject({ principal: ME });
  });

  test('a JSON client without token is refused, and leaves no trace', async () => {
    await expect(open()).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });

    expect(await memory.connections.read('c')).toBeNull();
    expect((await memory.connections.counted()).count).toBe(0);
  });

  test('a STOMP client may send its token in its CONNECT, within 10 seconds', async () => {
    await open({ protocols: 'v12.stomp' });

    expect(await memory.connections.read('c')).toMatchObject({ principal: null, admitted: false });
    expect(memory.jobs.jobs).toEqual([{ job: { kind: 'expect-connect', connectionId: 'c' }, delaySeconds: 10 }]);
  });

  test('a STOMP client with a token needs no more time, and one with a bad token is refused', async () => {
    await open({ protocols: 'v12.stomp, bearer.good' });
    expect(memory.jobs.jobs).toEqual([]);

    await expect(open({ connectionId: 'd', protocols: 'v12.stomp, bearer.bad' })).rejects.toThrow('a bad token');
  });

  test("a user's connections are counted, and the one past the limit is refused without a trace", async () => {
    for (let index = 0; index < 5; index++) await open({ connectionId: `c${index}`, authorization: 'Bearer good' });

    await expect(open({ connectionId: 'c5', authorization: 'Bearer good' })).rejects.toMatchObject({
      code: 'TOO_MANY_CONNECTIONS',
      details: { limit: 5 },
    });

    expect((await counted('user#me')).map(({ connectionId }) => connectionId)).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
    expect(await memory.connections.read('c5')).toBeNull();
  });

  test('a connection that could not be stored is not counted for its user', async () => {
    memory.connections.open = () => Promise.reject(new Error('no table'));

    await expect(open({ authorization: 'Bearer good' })).rejects.toThrow('no table');

    expect(await counted('user#me')).toEqual([]);
    expect(memory.jobs.jobs).toEqual([]);
  });

  test('a connection past the limit of all is not counted for its user either', async () => {
    ports = { ...ports, maxConnections: 1 };
    await open({ connectionId: 'a', protocols: 'v12.stomp' });

    await expect(open({ authorization: 'Bearer good' })).rejects.toMatchObject({ code: 'TOO_MANY_CONNECTIONS' });

    expect(await counted('user#me')).toEqual([]);
  });
});

describe('the limit of all connections', () => {
  test('refuses the one past it, which leaves no trace', async () => {
    ports = { ...ports, maxConnections: 2 };
    for (const connectionId of ['a', 'b']) await open({ connectionId });
    memory.jobs.jobs.length = 0;

    await expect(open()).rejects.toMatchObject({
      code: 'TOO_MANY_CONNECTIONS',
      message: 'as many connections as allowed are open; try again later',
      details: { limit: 2 },
    });

    expect(await memory.connections.read('c')).toBeNull();
    expect((await memory.connections.counted()).count).toBe(2);
    expect(memory.jobs.jobs).toEqual([]);
  });

  test('is an outage, and no mistake of the client', async () => {
    ports = { ...ports, maxConnections: 1 };
    await open({ connectionId: 'a' });

    await expect(open()).rejects.toBeInstanceOf(UnavailableError);
  });

  test('of 0 is none', async () => {
    for (const connectionId of ['a', 'b', 'c']) await open({ connectionId });

    expect((await memory.connections.counted()).count).toBe(3);
  });
});

describe('a CONNECT that does not come', () => {
  test('ends the connection, with the reason', async () => {
    withIdentity();
    await open({ protocols: 'v11.stomp' });

    await expectConnect('c', memory);

    expect(memory.gateway.posted[0]?.frame).toMatch(/^ERROR\nmessage:no CONNECT with a token came within 10 seconds\nerror-code:AUTH/);
    expect(memory.gateway.closed).toEqual(['c']);
    expect(await memory.connections.read('c')).toBeNull();
  });

  test('is not missed if it came in time, or the connection has gone', async () => {
    withIdentity();
    await open({ protocols: 'v11.stomp' });
    await memory.connections.admit('c', { dialect: 'stomp-1.1', principal: ME });

    await expectConnect('c', memory);
    await expectConnect('gone', memory);

    expect(memory.gateway.posted).toEqual([]);
    expect(memory.gateway.closed).toEqual([]);
  });
});

describe('a ticket', () => {
  beforeEach(withIdentity);

  test('is redeemed for the path of the WebSocket, once, and stands in for a token', async () => {
    await open({ ticket: 'good' });

    expect(redeemed).toEqual([{ ticket: 'good', path: '/ws', url: null }]);
    expect((await memory.connections.read('c'))?.principal).toEqual(ME);
  });

  test('is left alone beside a token, and a bad one is refused in STOMP too', async () => {
    await open({ ticket: 'good', authorization: 'Bearer good' });
    expect(redeemed).toEqual([]);

    await expect(open({ ticket: 'bad', protocols: 'v12.stomp' })).rejects.toThrow('a bad ticket');
  });
});

describe('the key of an agent', () => {
  test('makes its holder the agent, with and without identity', async () => {
    for (const secure of [false, true]) {
      if (secure) withIdentity();
      await open({ connectionId: `c${secure}`, apiKey: 'agents' });
      expect((await memory.connections.read(`c${secure}`))?.principal).toEqual({ userId: 'agent:web-1', roles: [], agent: 'web-1' });
    }
  });

  test.each(['publishers', 'unknown'])('is needed: %s opens nothing', async (apiKey) => {
    await expect(open({ apiKey })).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
    expect(await memory.connections.read('c')).toBeNull();
  });
});

/** `AUTH_MODE=jwt`: every transport needs a token, and no user gets the messages of another. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { connect, ofType } from '../helpers/client.ts';
import { freshId, rank, settled } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { wholeStream } from '../helpers/sse.ts';
import { frame, rawStomp } from '../helpers/stomp.ts';
import { WAIT_MS, within } from '../helpers/within.ts';

const JWT = { AUTH_MODE: 'jwt', JWT_ISSUER: LOCAL_ISSUER, JWT_AUDIENCE: LOCAL_AUDIENCE, JWT_JWKS_URI: LOCAL_JWKS_URI };
const USER = 100;
const OTHER = 200;

let own: OwnRun;
/** Without front door: each API has its own address. */
let plain: OwnRun;
beforeAll(async () => {
  [own, plain] = await Promise.all([runWith(JWT), runWith({ ...JWT, FRONT_DOOR: 'off' })]);
});
afterAll(() => Promise.all([own.run.stop(), plain.run.stop()]));

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = { iss: LOCAL_ISSUER, aud: LOCAL_AUDIENCE, sub: String(USER), exp: Math.floor(Date.now() / 1000) + 600 };

/** Invalid tokens, by their defect. */
const bad: [string, () => Promise<string>][] = [
  ['a text that is no token', async () => 'garbage'],
  ['an unsigned token', async () => `${base64({ alg: 'none' })}.${base64(claims)}.`],
  [
    'a token signed with a shared secret',
    async () => new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'local' }).sign(Buffer.alloc(32)),
  ],
  [
    'a token signed with another key',
    async () => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'local' }).sign((await generateKeyPair('ES256')).privateKey),
  ],
  [
    'a token with changed claims',
    async () => {
      const [head, , signature] = (await own.run.mint({ user: String(OTHER) })).split('.');
      return `${head}.${base64(claims)}.${signature}`;
    },
  ],
  ['an expired token', () => own.run.mint({ user: String(USER), seconds: -60 })],
];

/** The outcome of a call with a token: `ok`, or the code of the refusal. */
type Outcome = 'ok' | 'AUTHENTICATION_REQUIRED' | 'PERMISSION_DENIED' | 'handshake 401';

const codeOf = ({ status, body }: { status: number; body: Record<string, unknown> }): Outcome => {
  const code = status < 300 ? 'ok' : (body['error_code'] as Outcome);
  expect({ status, code }).toEqual({
    status: { ok: 200, AUTHENTICATION_REQUIRED: 401, PERMISSION_DENIED: 403 }[code as string] ?? 0,
    code,
  });
  return code;
};
const authorization = (token: string | null): Record<string, string> => (token === null ? {} : { authorization: `Bearer ${token}` });

/** By transport: requests something private to a user. */
const transports: [string, (token: string | null, userId: number) => Promise<Outcome>, (() => OwnRun)?][] = [
  [
    'registration',
    async (token, userId) =>
      codeOf(await own.post('/api/push/websocket/reservations/subscriptions', { userId, seatId: freshId() }, authorization(token))),
  ],
  ['SSE', async (token, userId) => sse(own.url, token, userId)],
  ['SSE without front door', async (token, userId) => sse(plain.run.streamUrl ?? '', token, userId), () => plain],
  ['SSE at the HTTP API', async (token, userId) => sse(plain.url, token, userId), () => plain],
  [
    'JSON, token as subprotocol',
    (token, userId) => json(userId, { protocols: ['push.json.v1', ...(token === null ? [] : [`bearer.${token}`])] }),
  ],
  ['JSON, token as header', (token, userId) => json(userId, { headers: authorization(token) })],
  ['STOMP, token in CONNECT', (token, userId) => stomp(userId, token === null ? {} : { Authorization: `Bearer ${token}` })],
  ['STOMP, token as passcode', (token, userId) => stomp(userId, token === null ? {} : { login: 'me', passcode: token })],
];

async function sse(url: string, token: string | null, userId: number): Promise<Outcome> {
  const response = await fetch(`${url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=1`, { headers: authorization(token) });
  if (response.status !== 200) return codeOf({ status: response.status, body: (await response.json()) as Record<string, unknown> });
  await response.body?.cancel();
  return 'ok';
}

async function json(userId: number, options: { protocols?: string[]; headers?: Record<string, string> }): Promise<Outcome> {
  const client = await connect(own.url, options).catch((error: Error) => error);
  if (client instanceof Error) {
    expect(client.message).toContain('401');
    return 'handshake 401';
  }
  const topic = `/topic/waiting-queue/1/${userId}`;
  client.send({ type: 'subscribe', topic });
  const answer = await client.until(({ type }) => type === 'subscribed' || type === 'error');
  await client.close();
  return answer['type'] === 'subscribed' ? 'ok' : ((answer['data'] as Record<string, unknown>)['error_code'] as Outcome);
}

async function stomp(userId: number, connectHeaders: Record<string, string>): Promise<Outcome> {
  const client = await rawStomp(own.url);
  client.send(frame('CONNECT', { 'accept-version': '1.2', ...connectHeaders }));
  const first = await client.frames.next();
  if (first.command === 'ERROR') {
    await client.closed();
    return first.headers.get('error-code') as Outcome;
  }
  client.send(frame('SUBSCRIBE', { id: 'a', destination: `/topic/waiting-queue/1/${userId}`, receipt: 'r' }));
  const answer = await client.frames.next();
  client.close();
  return answer.command === 'RECEIPT' ? 'ok' : (answer.headers.get('error-code') as Outcome);
}

describe.each(transports)('%s', (name, request, at = () => own) => {
  const isJson = name.startsWith('JSON');
  const refused: Outcome = isJson ? 'handshake 401' : 'AUTHENTICATION_REQUIRED';

  test('a valid token is accepted', async () => {
    expect(await request(await at().run.mint({ user: String(USER) }), USER)).toBe('ok');
  });

  test("another user's topic is refused", async () => {
    expect(await request(await at().run.mint({ user: String(OTHER), roles: ['ops:read', 'ops:control'] }), USER)).toBe('PERMISSION_DENIED');
  });

  test('no token is refused', async () => {
    expect(await request(null, USER)).toBe(refused);
  });

  test.each(bad)('%s is refused', async (_, make) => {
    expect(await request(await make(), USER)).toBe(refused);
  });
});

test('a JSON client gets those of several topics that it may see, and one error lists the rest', async () => {
  const client = await connect(own.url, { protocols: ['push.json.v1', `bearer.${await own.run.mint({ user: String(USER) })}`] });
  expect(client.socket.protocol).toBe('push.json.v1');
  const [mine, theirs] = [`/topic/waiting-queue/1/${USER}`, `/topic/waiting-queue/1/${OTHER}`];
  client.send({ type: 'subscribe', topics: [theirs, mine, 'price:005930'] });

  expect(await client.until(ofType('subscribed'))).toMatchObject({ topic: mine });
  expect(await client.until(ofType('subscribed'))).toMatchObject({ topic: 'price:005930' });
  expect(await client.until(ofType('error'))).toMatchObject({ data: { error_code: 'PERMISSION_DENIED', details: { topics: [theirs] } } });
  await own.publish([rank(1, OTHER, 4), rank(1, USER, 5)]);
  expect(await client.until(({ userId }) => userId !== undefined)).toMatchObject({ userId: USER, data: { rank: 5 } });
  await client.close();
});

test('a valid token in the STOMP handshake is enough, and an invalid one there is refused', async () => {
  const good = await rawStomp(own.url, { headers: authorization(await own.run.mint({ user: String(USER) })) });
  good.send(frame('CONNECT', { 'accept-version': '1.2' }));
  await good.expect('CONNECTED');
  good.close();

  await expect(rawStomp(own.url, { headers: authorization('bad') })).rejects.toThrow('401');
});

test('a STOMP client that sends no CONNECT within 10 s is closed', async () => {
  const client = await rawStomp(own.url);
  // a heart-beat does not count as one
  client.send('\n');
  await own.run.settled();

  own.run.clock.advance(10_000);

  expect((await client.expect('ERROR')).headers.get('error-code')).toBe('AUTHENTICATION_REQUIRED');
  await client.closed();
});

test('a STOMP client without subprotocol needs its token in the handshake', async () => {
  await expect(rawStomp(own.url, { protocols: [] })).rejects.toThrow('401');
  const client = await rawStomp(own.url, { protocols: [], headers: authorization(await own.run.mint({ user: String(USER) })) });
  client.send(frame('CONNECT', {}));
  await client.expect('CONNECTED');
  client.close();
});

test('REST needs a token too; health and publishing do not', async () => {
  expect(await own.get('/api/kr/realtime-prices?tickers=005930')).toMatchObject({ status: 401 });
  expect(await own.get('/internal/prices')).toMatchObject({ status: 401, body: { error_code: 'AUTHENTICATION_REQUIRED' } });
  expect((await own.get('/internal/prices', authorization(await own.run.mint({ user: 'x' })))).status).toBe(200);
  expect((await own.get('/api/health')).status).toBe(200);
  await own.publish([settled(1, 1, 'SUCCESS')]);
});

test('`npm run token` mints a token that is accepted', async () => {
  const words = ['--user', String(USER), '--roles', 'ops:read', '--url', own.url];
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bin/token.ts', ...words], { timeout: WAIT_MS });

  expect(await sse(own.url, stdout.trim(), USER)).toBe('ok');
  const payload = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
  expect(payload).toMatchObject({ sub: String(USER), roles: ['ops:read'], iss: LOCAL_ISSUER });
});

test('keys that cannot be fetched are answered 503, but a token that cannot be valid 401', async () => {
  const lost = await runWith({ ...JWT, JWT_ISSUER: 'https://127.0.0.1:9', JWT_JWKS_URI: '' });
  const token = await new SignJWT({ ...claims, iss: 'https://127.0.0.1:9' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign((await generateKeyPair('ES256')).privateKey);
  const path = '/api/v1/waiting-queue/subscribe?userId=100&concertId=1';

  expect(await wholeStream(lost.url + path, authorization(token))).toMatchObject({ status: 503 });
  expect(await wholeStream(lost.url + path, authorization(`${base64({ alg: 'HS256' })}.${base64(claims)}.AAAA`))).toMatchObject({
    status: 401,
  });
  const refusal = new Promise((resolve) => {
    const socket = new WebSocket(`${lost.url.replace('http', 'ws')}/ws`, { headers: authorization(token) });
    socket.on('error', () => undefined);
    socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
  });
  expect(await within(refusal, 'a refused handshake')).toBe(503);
  await lost.run.stop();
});

test('five connections that vanished without notice do not keep their user out', async () => {
  const token = await own.run.mint({ user: String(freshId()) });
  const open = () => connect(own.url, { headers: { authorization: `Bearer ${token}` } });
  own.run.levers.loseDisconnects = 1;
  for (let count = 0; count < 5; count++) {
    const client = await open();
    client.send({ type: 'subscribe', topic: 'price:005930' });
    await client.until(ofType('subscribed'));
    await client.close();
  }
  await own.run.settled();
  own.run.levers.loseDisconnects = 0;
  // as long as a handshake may last, one that the gateway does not know may still be opening
  await expect(open()).rejects.toThrow('429');
  own.run.clock.advance(31_000);

  const client = await open();
  await client.until(ofType('connected'));
  await client.close();
});

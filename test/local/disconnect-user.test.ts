/** `POST /internal/users/{id}/disconnect`: everything of a user ends, and older tokens open nothing any more. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { type Client, connect, ofType } from '../helpers/client.ts';
import { freshId } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { readStream } from '../helpers/sse.ts';
import { frame, rawStomp } from '../helpers/stomp.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({ AUTH_MODE: 'jwt', JWT_ISSUER: LOCAL_ISSUER, JWT_AUDIENCE: LOCAL_AUDIENCE, JWT_JWKS_URI: LOCAL_JWKS_URI });
});
afterAll(() => own.run.stop());

const disconnect = (userId: number, body: object | string = '') => own.post(`/internal/users/${userId}/disconnect`, body);
const tokenOf = (userId: number) => own.run.mint({ user: String(userId) });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const socketOf = (token: string) => connect(own.url, { headers: bearer(token) });
const streamOf = (userId: number) => `${own.url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=1`;
const ticketOf = async (token: string) => String((await own.post('/api/push/tickets', '', bearer(token))).body['ticket']);

/** The status of what a token may open, by transport. */
const TRANSPORTS: Readonly<Record<string, (token: string, userId: number) => Promise<unknown>>> = {
  JSON: (token) => outcome(socketOf(token)),
  STOMP: async (token) => {
    const client = await rawStomp(own.url);
    client.send(frame('CONNECT', { 'accept-version': '1.2', Authorization: `Bearer ${token}` }));
    const { command, headers } = await client.frames.next();
    client.close();
    return command === 'CONNECTED' ? 'open' : headers.get('error-code');
  },
  SSE: async (token, userId) => {
    const response = await fetch(streamOf(userId), { headers: bearer(token) });
    await response.body?.cancel();
    return response.status;
  },
  REST: async (token) => (await own.post('/api/push/tickets', '', bearer(token))).status,
};
const outcome = (client: Promise<Client>): Promise<string> =>
  client.then(
    async (open) => {
      await open.close();
      return 'open';
    },
    (error: Error) => error.message,
  );
const allOf = async (token: string, userId: number): Promise<unknown[]> =>
  Promise.all(Object.values(TRANSPORTS).map((open) => open(token, userId)));

test('five sockets and a stream end with the reason, and an older token is refused on every transport', async () => {
  const userId = freshId();
  const token = await tokenOf(userId);
  const ticket = await ticketOf(token);
  const sockets = await Promise.all(Array.from({ length: 5 }, () => socketOf(token)));
  const stream = await readStream(streamOf(userId), bearer(token));
  await stream.until((text) => text.includes('INIT'));

  expect(await disconnect(userId, { reason: 'the account was closed' })).toEqual({
    status: 202,
    body: { user: String(userId), connections: 5 },
  });

  for (const socket of sockets) {
    const error = await socket.until(ofType('error'));
    expect(error).toMatchObject({ data: { error_code: 'AUTHENTICATION_REQUIRED', error_message: 'the account was closed' } });
    await socket.closed();
  }
  await stream.toEnd();
  expect(await allOf(token, userId)).toEqual(['Unexpected server response: 401', 'AUTHENTICATION_REQUIRED', 401, 401]);
  await expect(connect(own.url, { ticket })).rejects.toThrow('401');
});

test('a token that was issued later opens everything again, and a late look closes none of it', async () => {
  const userId = freshId();
  await disconnect(userId);
  own.run.clock.advance(2_000);
  const token = await tokenOf(userId);
  const socket = await socketOf(token);
  await socket.until(ofType('connected'));
  own.run.clock.advance(20_000);
  await own.run.settled();

  socket.send({ type: 'subscribe', topic: `/topic/waiting-queue/1/${userId}` });
  await socket.until(ofType('subscribed'));
  await socket.close();
  expect(await allOf(token, userId)).toEqual(['open', 'open', 200, 200]);
});

test('other users keep what they have', async () => {
  const [userId, other] = [freshId(), freshId()];
  const socket = await socketOf(await tokenOf(other));
  await disconnect(userId);
  await own.run.settled();

  await socket.until(ofType('connected'));
  await socket.close();
});

test('needs a key, a reason that is text, and users', async () => {
  expect((await own.post('/internal/users/1/disconnect', {}, {})).status).toBe(401);
  expect((await own.post('/internal/users/1/disconnect', {}, { 'x-api-key': 'wrong' })).status).toBe(401);
  for (const body of [{ reason: 3 }, { reason: '' }, { reason: 'x'.repeat(201) }, [], '{'])
    expect(await disconnect(1, body)).toMatchObject({ status: 400, body: { error_code: 'INVALID_MESSAGE_FORMAT' } });
  expect((await own.post(`/internal/users/${'x'.repeat(129)}/disconnect`, '')).status).toBe(400);
  const open = await runWith({});
  try {
    expect((await open.post('/internal/users/1/disconnect', '')).status).toBe(404);
  } finally {
    await open.run.stop();
  }
});

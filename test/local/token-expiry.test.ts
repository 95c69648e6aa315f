/** A token that runs out ends what was opened with it; `refresh` renews it on the open connection. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { type Client, connect, ofType } from '../helpers/client.ts';
import { alert, freshId } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { readStream } from '../helpers/sse.ts';
import { frame, rawStomp } from '../helpers/stomp.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({ AUTH_MODE: 'jwt', JWT_ISSUER: LOCAL_ISSUER, JWT_AUDIENCE: LOCAL_AUDIENCE, JWT_JWKS_URI: LOCAL_JWKS_URI });
});
afterAll(() => own.run.stop());

const socketOf = (token: string): Promise<Client> => connect(own.url, { headers: { authorization: `Bearer ${token}` } });
/** Lets the token's time pass, and after that the 90 s within which its holder is told. */
async function pass(seconds: number): Promise<void> {
  own.run.clock.advance(seconds * 1000);
  await own.run.settled();
  own.run.clock.advance(90_000);
  await own.run.settled();
}

describe('a token that runs out', () => {
  test('is told to a JSON client, and the connection ends', async () => {
    const socket = await socketOf(await own.run.mint({ user: String(freshId()), seconds: 60 }));
    await pass(61);
    expect(await socket.until(ofType('error'))).toMatchObject({
      data: { error_code: 'AUTHENTICATION_REQUIRED', error_message: expect.stringContaining('expired') },
    });
    await socket.closed();
  });

  test('is told to a STOMP client as ERROR', async () => {
    const client = await rawStomp(own.url);
    const token = await own.run.mint({ user: String(freshId()), seconds: 60 });
    client.send(frame('CONNECT', { 'accept-version': '1.2', Authorization: `Bearer ${token}` }));
    expect((await client.frames.next()).command).toBe('CONNECTED');
    await pass(61);
    const { command, headers } = await client.frames.next();
    expect([command, headers.get('error-code')]).toEqual(['ERROR', 'AUTHENTICATION_REQUIRED']);
    client.close();
  });

  test('ends an event stream, which its ticket does not reopen', async () => {
    const userId = freshId();
    const token = await own.run.mint({ user: String(userId), seconds: 20 });
    const ticket = (await own.post('/api/push/tickets', '', { authorization: `Bearer ${token}` })).body['ticket'];
    const address = `${own.url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=1&ticket=${String(ticket)}`;
    const stream = await readStream(address);
    await stream.until((text) => text.includes('INIT'));
    own.run.clock.advance(26_000);
    await stream.toEnd();
    expect((await fetch(address)).status).toBe(401);
  });
});

describe('refresh', () => {
  test('keeps the connection and its subscriptions beyond the old token', async () => {
    const user = String(freshId());
    const socket = await socketOf(await own.run.mint({ user, roles: ['ops:read'], seconds: 60 }));
    socket.send({ type: 'subscribe', topic: 'ops:alert' });
    await socket.until(ofType('subscribed'));

    socket.send({ type: 'refresh', token: await own.run.mint({ user, roles: ['ops:read'], seconds: 600 }) });
    const { expires_in } = await socket.until(ofType('refreshed'));
    expect(expires_in).toBeGreaterThan(590);
    expect(expires_in).toBeLessThanOrEqual(600);
    await pass(61);
    await own.publish([alert({ title: 'later' })]);
    await socket.until(ofType('alert'));
    await pass(600);
    await socket.closed();
  });

  test('ends the subscriptions that the new token does not permit, and says why', async () => {
    const user = String(freshId());
    const socket = await socketOf(await own.run.mint({ user, roles: ['ops:read'] }));
    socket.send({ type: 'subscribe', topics: ['ops:alert', 'price:005930'] });
    await socket.until((message) => message['type'] === 'subscribed' && message['topic'] === 'price:005930');

    socket.send({ type: 'refresh', token: await own.run.mint({ user }) });
    await socket.until(ofType('refreshed'));
    expect(await socket.until(ofType('unsubscribed'))).toMatchObject({ topic: 'ops:alert', reason: expect.stringContaining('ops:read') });
    await own.publish([alert()]);
    await own.run.settled();
    await socket.quiet(ofType('alert'));
    await socket.close();
  });

  test('also ends a subscription that was being made meanwhile', async () => {
    for (let time = 0; time < 4; time++) {
      const user = String(freshId());
      const socket = await socketOf(await own.run.mint({ user, roles: ['ops:read'] }));
      const token = await own.run.mint({ user });
      // the gateway keeps no order: the refresh may be served first, or in the middle
      socket.send({ type: 'subscribe', topic: 'ops:alert' });
      socket.send({ type: 'refresh', token });
      await socket.until(ofType('refreshed'));
      await own.eventually(
        async () => socket.received.map(({ type }) => type),
        (types) => types.includes('error') || types.includes('unsubscribed'),
      );
      await own.publish([alert({ title: `secret ${time}` })]);
      await own.run.settled();
      await socket.quiet((message) => JSON.stringify(message).includes(`secret ${time}`));
      await socket.close();
    }
  });

  test.each([
    ['of another user', 'PERMISSION_DENIED', () => own.run.mint({ user: 'another' })],
    ['that has expired', 'AUTHENTICATION_REQUIRED', () => own.run.mint({ user: 'me', seconds: -60 })],
    ['that is none', 'AUTHENTICATION_REQUIRED', async () => 'garbage'],
    ['that is no text', 'INVALID_MESSAGE_FORMAT', async () => 5],
  ])('a token %s is refused, and the connection goes on', async (_, code, token) => {
    const socket = await socketOf(await own.run.mint({ user: 'me' }));
    socket.send({ type: 'refresh', token: await token() });
    expect(await socket.until(ofType('error'))).toMatchObject({ data: { error_code: code } });
    socket.send({ type: 'subscribe', topic: 'price:005930' });
    await socket.until(ofType('subscribed'));
    await socket.close();
  });
});

describe('reconnect', () => {
  test('is asked of the clients that are there within a minute, once, with a window for all of them', async () => {
    const token = await own.run.mint({ user: String(freshId()) });
    const socket = await socketOf(token);
    await socket.until(ofType('connected'));
    const answered = await own.post('/internal/connections/reconnect', '');
    expect(answered).toEqual({ status: 202, body: { connections: expect.any(Number), after_ms: 0, within_ms: 30_000 } });

    own.run.clock.advance(61_000);
    await own.run.settled();
    expect(await socket.until(ofType('reconnect'))).toMatchObject({ after_ms: 0, within_ms: 30_000, data: {} });
    own.run.clock.advance(61_000);
    await own.run.settled();
    await socket.quiet(ofType('reconnect'));
    await socket.close();
  });

  test('needs a key, and durations that make sense', async () => {
    expect((await own.post('/internal/connections/reconnect', '', {})).status).toBe(401);
    for (const body of [{ within_ms: -1 }, { within_ms: 1.5 }, { after_ms: 3_600_001 }, { after_ms: 'soon' }, []])
      expect((await own.post('/internal/connections/reconnect', body)).status).toBe(400);
    expect((await own.post('/internal/connections/reconnect', { after_ms: 1_000, within_ms: 60_000 })).body).toMatchObject({
      after_ms: 1_000,
      within_ms: 60_000,
    });
  });
});

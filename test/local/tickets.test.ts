/** Tickets stand in for a token where a browser can send none: in the address of a WebSocket or an EventSource. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { connect, ofType } from '../helpers/client.ts';
import { freshId, rank, settled } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';
import { readStream } from '../helpers/sse.ts';
import { frame, rawStomp } from '../helpers/stomp.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({ AUTH_MODE: 'jwt', JWT_ISSUER: LOCAL_ISSUER, JWT_AUDIENCE: LOCAL_AUDIENCE, JWT_JWKS_URI: LOCAL_JWKS_URI });
});
afterAll(() => own.run.stop());

const asked = async (userId: number, body?: object) => {
  const token = await own.run.mint({ user: String(userId) });
  return own.post('/api/push/tickets', body ?? '', { authorization: `Bearer ${token}` });
};
async function ticketFor(userId: number, body?: object): Promise<string> {
  const answer = await asked(userId, body);
  expect(answer).toMatchObject({ status: 200, body: { expires_in: 30 } });
  return String(answer.body['ticket']);
}
const withTicket = (ticket: string) => connect(own.url, { ticket });
const streamOf = (userId: number, ticket: string) =>
  `${own.url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=1&ticket=${ticket}`;
const statusOf = async (url: string): Promise<number> => {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
};

describe('a ticket', () => {
  test('opens a WebSocket as its user, once', async () => {
    const userId = freshId();
    const ticket = await ticketFor(userId);
    const client = await withTicket(ticket);
    client.send({ type: 'subscribe', topic: `/topic/waiting-queue/1/${userId}` });
    await client.until(ofType('subscribed'));
    client.send({ type: 'subscribe', topic: `/topic/waiting-queue/1/${userId + 1}` });
    expect(await client.until(ofType('error'))).toMatchObject({ data: { error_code: 'PERMISSION_DENIED' } });
    await client.close();

    await expect(withTicket(ticket)).rejects.toThrow('401');
  });

  test('used several times at the same moment opens once', async () => {
    const ticket = await ticketFor(freshId());
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => withTicket(ticket)));
    const opened = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));

    expect(opened).toHaveLength(1);
    await opened[0]?.close();
  });

  test('opens a STOMP session without a token in its CONNECT', async () => {
    const client = await rawStomp(own.url, { ticket: await ticketFor(freshId()) });
    client.send(frame('CONNECT', { 'accept-version': '1.2' }));

    await client.expect('CONNECTED');
    client.close();
  });

  test('opens an event stream as its user, and again at the same address, for 15 minutes', async () => {
    const userId = freshId();
    const ticket = await ticketFor(userId);
    await own.publish([rank(1, userId, 7)]);
    await own.run.settled();
    const stream = await readStream(streamOf(userId, ticket));
    await stream.until((text) => text.includes('"rank":7'));
    await stream.close();

    expect(await statusOf(`${streamOf(userId, ticket)}&lastEventId=x-1`)).toBe(200);
    expect(await statusOf(streamOf(userId, ticket).replace('concertId=1', 'concertId=2'))).toBe(401);
    await expect(withTicket(ticket)).rejects.toThrow('401');
    own.run.clock.advance(15 * 60_000);
    expect(await statusOf(streamOf(userId, ticket))).toBe(401);
  });

  test("does not open another user's stream", async () => {
    const userId = freshId();

    expect(await statusOf(streamOf(userId + 1, await ticketFor(userId)))).toBe(403);
  });

  test('that was not used lapses after 30 seconds', async () => {
    const [one, other] = [await ticketFor(freshId()), await ticketFor(freshId())];
    own.run.clock.advance(30_000);

    await expect(withTicket(one)).rejects.toThrow('401');
    expect(await statusOf(streamOf(1, other))).toBe(401);
  });

  test('for one path opens no other', async () => {
    const userId = freshId();
    const ticket = await ticketFor(userId, { path: '/api/v1/waiting-queue/subscribe' });

    await expect(withTicket(ticket)).rejects.toThrow('401');
    expect(await statusOf(streamOf(userId, ticket))).toBe(200);
  });

  test('stands in no log', async () => {
    const userId = freshId();
    const ticket = await ticketFor(userId);
    const stream = await readStream(`${own.url}/api/reservations/v5/subscribe?userId=${userId}&seatId=1&ticket=${ticket}`);
    await own.publish([settled(1, userId, 'SUCCESS')]);
    await stream.until((text) => text.includes('SUCCESS'));
    await stream.close();

    expect(own.logs.join('\n')).not.toContain(ticket);
  });
});

describe('a request for a ticket', () => {
  test('needs a token', async () => {
    expect(await own.post('/api/push/tickets', {}, {})).toMatchObject({ status: 401, body: { error_code: 'AUTHENTICATION_REQUIRED' } });
  });

  test.each([{ path: '/api/health' }, { path: 3 }, { path: '' }, []])('with %j is told what it may name', async (body) => {
    const answer = await asked(1, body);

    expect(answer).toMatchObject({ status: 400, body: { error_code: 'INVALID_MESSAGE_FORMAT' } });
    expect(answer.body['error_message']).toContain('/ws');
  });

  test('is answered without identity too: the same client works everywhere', async () => {
    const open = await runWith({});
    try {
      const { status, body } = await open.post('/api/push/tickets', {}, {});
      expect(status).toBe(200);
      const client = await connect(open.url, { ticket: String(body['ticket']) });
      await client.close();
    } finally {
      await open.run.stop();
    }
  });
});

/** Ticketing over Server-Sent Events, as an EventSource sees it. */
import { describe, expect, test } from 'vitest';
import { activated, freshId, rank, settled } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { eventSource } from '../helpers/sse.ts';
import { connected, frame } from '../helpers/stomp.ts';

const host = sharedHost();
const queueUrl = (userId: number | string, concertId: number | string) =>
  `${host.url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=${concertId}`;
const seatUrl = (userId: number | string, seatId: number | string) =>
  `${host.url}/api/reservations/v5/subscribe?userId=${userId}&seatId=${seatId}`;

describe('the waiting queue', () => {
  test('begins with INIT at once, even without any event so far, and then delivers each change', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    const client = eventSource(queueUrl(userId, concertId));

    expect(await client.events.next()).toEqual({
      name: 'INIT',
      id: expect.stringMatching(/^[0-9a-z]+-0$/) as string,
      data: {
        userId,
        concertId,
        status: 'UNKNOWN',
        rank: 0,
        activeTtlSeconds: 0,
        timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) as string,
      },
    });
    await host.publish([rank(concertId, userId, 12, { timestamp: '2026-02-19T01:20:10.224Z' })]);
    expect(await client.events.next()).toEqual({
      name: 'RANK_UPDATE',
      id: expect.stringMatching(/-1$/) as string,
      data: { userId, concertId, status: 'WAITING', rank: 12, activeTtlSeconds: 0, timestamp: '2026-02-19T01:20:10.224Z' },
    });
    await host.publish([activated(concertId, userId, 300)]);
    expect(await client.events.next()).toMatchObject({ name: 'ACTIVE', data: { status: 'ACTIVE', rank: 0, activeTtlSeconds: 300 } });
    client.close();

    const again = eventSource(queueUrl(userId, concertId));
    expect(await again.events.next()).toMatchObject({
      name: 'INIT',
      id: expect.stringMatching(/-2$/) as string,
      data: { status: 'ACTIVE' },
    });
    again.close();
  });
});

describe('reservations', () => {
  test('are delivered from the start of the stream, and a reconnect with the last id misses and repeats nothing', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    await host.publish([settled(seatId, userId, 'FAIL')]);
    const client = eventSource(seatUrl(userId, seatId));
    await client.on('open');
    await host.publish([settled(seatId, userId, 'SUCCESS', { timestamp: '2026-02-19T01:21:00.000Z' })]);
    const first = await client.events.next();
    // the stream may have begun before or after the first event: its id shows which
    const second = first.id.endsWith('-1') ? await client.events.next() : first;
    expect(second).toEqual({
      name: 'RESERVATION_STATUS',
      id: expect.stringMatching(/-2$/) as string,
      data: { event: 'RESERVATION_STATUS', userId, seatId, status: 'SUCCESS', timestamp: '2026-02-19T01:21:00.000Z' },
    });
    client.close();
    await host.publish([settled(seatId, userId, 'FAIL'), settled(seatId, userId, 'SUCCESS')]);

    const again = eventSource(seatUrl(userId, seatId), { 'Last-Event-ID': second.id });
    expect((await again.events.next()).id).toMatch(/-3$/);
    expect((await again.events.next()).id).toMatch(/-4$/);
    again.close();
  });

  test('that are settled between the registration and the stream are delivered', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    await host.post('/api/push/websocket/reservations/subscriptions', { userId, seatId }, {});
    await host.publish([settled(seatId, userId, 'SUCCESS')]);

    const client = eventSource(seatUrl(userId, seatId));
    expect(await client.events.next()).toMatchObject({ name: 'RESERVATION_STATUS', data: { status: 'SUCCESS' } });
    client.close();
  });

  test('continue over STOMP from the position of a stream, and the other way round', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    await host.post('/api/push/websocket/reservations/subscriptions', { userId, seatId }, {});
    await host.publish([settled(seatId, userId, 'FAIL')]);
    const client = eventSource(seatUrl(userId, seatId));
    const { id } = await client.events.next();
    client.close();
    await host.publish([settled(seatId, userId, 'SUCCESS')]);

    const stomp = await connected(host.url);
    stomp.send(
      frame('SUBSCRIBE', { id: 'a', destination: `/topic/reservations/${seatId}/${userId}`, since: id.replace(':', '\\c'), receipt: 'r' }),
    );
    expect((await stomp.expect('RECEIPT')).headers).toEqual(
      new Map([
        ['receipt-id', 'r'],
        ['recovered', 'true'],
      ]),
    );
    const message = await stomp.expect('MESSAGE');
    expect(JSON.parse(message.body)).toMatchObject({ status: 'SUCCESS' });
    stomp.close();
    await host.publish([settled(seatId, userId, 'FAIL')]);

    const again = eventSource(seatUrl(userId, seatId), { 'Last-Event-ID': message.headers.get('message-id') ?? '' });
    expect(await again.events.next()).toMatchObject({ id: expect.stringMatching(/-3$/) as string, data: { status: 'FAIL' } });
    again.close();
  });
});

test.each([
  ['userId missing', '/api/v1/waiting-queue/subscribe?concertId=1', 'userId'],
  ['concertId missing', '/api/v1/waiting-queue/subscribe?userId=1', 'concertId'],
  ['seatId missing', '/api/reservations/v5/subscribe?userId=1', 'seatId'],
  ['a word', '/api/reservations/v5/subscribe?userId=me&seatId=1', 'userId'],
  ['a fraction', '/api/reservations/v5/subscribe?userId=1.5&seatId=1', 'userId'],
  ['an exponent', '/api/v1/waiting-queue/subscribe?userId=1e2&concertId=1', 'userId'],
  ['a negative number', '/api/v1/waiting-queue/subscribe?userId=-1&concertId=1', 'userId'],
  ['a number that is too large', '/api/v1/waiting-queue/subscribe?userId=99999999999999999999&concertId=1', 'userId'],
  ['an empty userId', '/api/v1/waiting-queue/subscribe?userId=&concertId=1', 'userId'],
])('%s is answered 400 with the parameter at fault', async (_, path, parameter) => {
  const { status, body } = await host.get(path);

  expect(status).toBe(400);
  expect(body).toMatchObject({ error_code: 'INVALID_MESSAGE_FORMAT', details: { parameter } });
});

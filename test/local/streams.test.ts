/** Event streams on the platform: limited in time and number, kept alive, and finite at the HTTP API. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freshId, rank, settled } from '../helpers/events.ts';
import { type OwnRun, ownRun, runWith } from '../helpers/local.ts';
import { eventSource, readStream, wholeStream } from '../helpers/sse.ts';

const queuePath = (userId: number, concertId: number) => `/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=${concertId}`;
const seatPath = (userId: number, seatId: number) => `/api/reservations/v5/subscribe?userId=${userId}&seatId=${seatId}`;

describe('a stream', () => {
  let own: OwnRun;
  /** Without front door: the HTTP API serves streams too, in their finite form. */
  let plain: OwnRun;
  beforeAll(async () => {
    [own, plain] = await Promise.all([ownRun(), runWith({ FRONT_DOOR: 'off' })]);
  });
  afterAll(() => Promise.all([own.run.stop(), plain.run.stop()]));
  afterEach(() => {
    own.run.levers.holdPieces = false;
  });

  test('is kept alive every 15 s with the current state, without id', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    await own.publish([rank(concertId, userId, 7)]);
    await own.run.settled();
    const client = eventSource(own.url + queuePath(userId, concertId));
    await client.events.next();

    own.run.clock.advance(15_000);

    expect(await client.events.next()).toMatchObject({ name: 'KEEPALIVE', data: { userId, concertId, status: 'WAITING', rank: 7 } });
    client.close();
  });

  test('delivers at once, though the platform may hold a piece back until the next one comes', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    own.run.levers.holdPieces = true;
    const client = eventSource(own.url + queuePath(userId, concertId));
    expect((await client.events.next()).name).toBe('INIT');

    await own.publish([rank(concertId, userId, 4)]);
    expect(await client.events.next()).toMatchObject({ data: { rank: 4 } });
    client.close();
  });

  test('of reservations begins at once with a comment, and is kept alive by comments', async () => {
    const stream = await readStream(own.url + seatPath(freshId(), freshId()));
    expect(stream.type).toBe('text/event-stream; charset=utf-8');
    expect(await stream.until((text) => text.endsWith('\n:\n'))).toBe(': keep-alive\n:\n');

    own.run.clock.advance(15_000);
    expect(await stream.until((text) => text.length > 29)).toBe(': keep-alive\n:\n: keep-alive\n:\n');
    own.run.clock.advance(60_000);
    await stream.toEnd();
  });

  test('ends by itself after SSE_SECONDS, and its events say when to reconnect', async () => {
    const stream = await readStream(own.url + queuePath(freshId(), freshId()));
    await stream.until((text) => text.includes('INIT'));

    own.run.clock.advance(54_000);
    await stream.until((text) => text.includes('KEEPALIVE'));
    own.run.clock.advance(1_000);

    expect((await stream.toEnd()).match(/^retry: 500$/gm)?.length).toBe(2);
  });

  test('without messages leaves a registration: a client that keeps no id continues where it left', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    const stream = await readStream(own.url + seatPath(userId, seatId));
    await stream.until((text) => text !== '');
    own.run.clock.advance(60_000);
    await stream.toEnd();
    await own.publish([settled(seatId, userId, 'SUCCESS')]);
    await own.run.settled();

    const client = eventSource(own.url + seatPath(userId, seatId));
    expect(await client.events.next()).toMatchObject({ id: expect.stringMatching(/-1$/) as string, data: { status: 'SUCCESS' } });
    client.close();
  });

  test('is served to GET only', async () => {
    for (const url of [own.url, plain.url]) {
      expect((await fetch(url + seatPath(1, 1), { method: 'HEAD' })).status).toBe(405);
      expect((await fetch(url + seatPath(1, 1), { method: 'POST' })).status).toBe(405);
    }
  });

  test('continues from an id in the query too, and ignores an empty one', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    await plain.publish([settled(seatId, userId, 'FAIL'), settled(seatId, userId, 'SUCCESS')]);
    await plain.run.settled();
    const finite = async (id: string) => (await wholeStream(`${plain.url}${seatPath(userId, seatId)}&lastEventId=${id}`)).text;

    const all = await finite('other-7');
    expect(all.match(/RESERVATION_STATUS\n/g)).toHaveLength(2);
    const [epoch] = /\w+(?=-2\n)/.exec(all) ?? [];
    expect((await finite(`${epoch}-1`)).match(/RESERVATION_STATUS\n/g)).toHaveLength(1);
    expect((await finite(`${epoch}-99`)).match(/RESERVATION_STATUS\n/g)).toHaveLength(2);
    expect(await finite('')).not.toContain('RESERVATION_STATUS');
  });

  test('is finite at the HTTP API: it has the missed messages and the time to reconnect', async () => {
    const [userId, seatId, concertId] = [freshId(), freshId(), freshId()];
    await plain.post('/api/push/websocket/reservations/subscriptions', { userId, seatId }, {});
    await plain.publish([settled(seatId, userId, 'FAIL'), settled(seatId, userId, 'SUCCESS'), rank(concertId, userId, 3)]);
    await plain.run.settled();

    const missed = await wholeStream(plain.url + seatPath(userId, seatId));
    expect(missed).toMatchObject({ status: 200, type: 'text/event-stream; charset=utf-8' });
    expect(missed.text.match(/^event: .*$/gm)).toEqual(['event: RESERVATION_STATUS', 'event: RESERVATION_STATUS']);
    expect(missed.text.match(/^retry: 5000$/gm)?.length).toBe(2);
    const last =
      missed.text
        .match(/^id: (.*)$/gm)
        ?.at(-1)
        ?.slice('id: '.length) ?? '';
    const none = await wholeStream(plain.url + seatPath(userId, seatId), { 'last-event-id': last });
    expect(none.text).toBe(': keep-alive\n');
    const queue = await wholeStream(plain.url + queuePath(userId, concertId));

    expect(queue.text).toMatch(
      /^: keep-alive\nid: \w+-1\nretry: 5000\nevent: INIT\ndata: \{"userId":\d+,"concertId":\d+,"status":"WAITING","rank":3,.*\n\n$/,
    );
  });

  test('has an address of its own without a front door', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    const client = eventSource(plain.run.streamUrl + queuePath(userId, concertId));
    expect((await client.events.next()).name).toBe('INIT');
    client.close();
  });

  test('that was killed is resumed from its position', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    await own.post('/api/push/websocket/reservations/subscriptions', { userId, seatId }, {});
    await own.publish([settled(seatId, userId, 'FAIL')]);
    await own.run.settled();
    own.run.levers.kill.set('sse', 1);
    const client = eventSource(own.url + seatPath(userId, seatId));
    expect((await client.events.next()).id).toMatch(/-1$/);
    await client.on('error');
    own.run.levers.kill.clear();
    await own.publish([settled(seatId, userId, 'SUCCESS')]);

    expect(await client.events.next()).toMatchObject({ id: expect.stringMatching(/-2$/) as string, data: { status: 'SUCCESS' } });
    client.close();
  });
});

test('streams above SSE_MAX_STREAMS are finite', async () => {
  const own = await runWith({ SSE_MAX_STREAMS: '2' });
  const [userId, concertId] = [freshId(), freshId()];
  const clients = [eventSource(own.url + queuePath(userId, concertId)), eventSource(own.url + queuePath(userId, concertId))];
  for (const client of clients) await client.events.next();

  const third = await wholeStream(own.url + queuePath(userId, concertId));

  expect(third.text).toMatch(/retry: 5000\nevent: INIT\n.*\n\n:\n$/);
  for (const client of clients) client.close();
  await own.run.stop();
});

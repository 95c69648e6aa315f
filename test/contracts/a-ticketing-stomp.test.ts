/** Ticketing over STOMP, as a ticket buyer's client sees it: registration, connection, topics, in the contract's order. */
import { type IMessage, type StompHeaders, Versions } from '@stomp/stompjs';
import { describe, expect, test } from 'vitest';
import webstomp from 'webstomp-client';
import WebSocket from 'ws';
import { activated, freshId, rank, settled } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { connected, frame, officialClient, queue, rawStomp } from '../helpers/stomp.ts';

const host = sharedHost();
const QUEUE = '/api/push/websocket/waiting-queue/subscriptions';
const SEATS = '/api/push/websocket/reservations/subscriptions';

const register = (path: string, body: unknown) => host.post(path, body, {});
const remove = (path: string) => fetch(host.url + path, { method: 'DELETE' });

describe('the official client', () => {
  test.each([
    ['1.0', ['1.0']],
    ['1.1', ['1.1', '1.0']],
    ['1.2', ['1.2', '1.1', '1.0']],
  ])('of STOMP %s registers, connects, subscribes, is told, gets receipts, unsubscribes and leaves', async (version, versions) => {
    const [userId, concertId] = [freshId(), freshId()];
    const { status, body } = await register(QUEUE, { userId, concertId });
    expect({ status, body }).toEqual({
      status: 200,
      body: { transport: 'websocket', destination: `/topic/waiting-queue/${concertId}/${userId}` },
    });
    const client = await officialClient(host.url, {
      stompVersions: new Versions(versions),
      heartbeatIncoming: 10_000,
      heartbeatOutgoing: 10_000,
    });
    expect(client.connectedVersion).toBe(version);
    const messages = queue<IMessage>();
    const receipts = queue<string>();
    const subscription = await new Promise<ReturnType<typeof client.subscribe>>((resolve) => {
      client.watchForReceipt('r-1', () => resolve(made));
      const made = client.subscribe(String(body['destination']), (message) => messages.push(message), { receipt: 'r-1' });
    });
    await host.publish([rank(concertId, userId, 12, { timestamp: '2026-02-19T01:20:10.224Z' })]);

    const first = await messages.next();
    expect(first.body).toBe(
      JSON.stringify({
        event: 'RANK_UPDATE',
        userId,
        concertId,
        data: { userId, concertId, status: 'WAITING', rank: 12, activeTtlSeconds: 0, timestamp: '2026-02-19T01:20:10.224Z' },
      }),
    );
    expect(first.headers).toMatchObject({
      destination: `/topic/waiting-queue/${concertId}/${userId}`,
      subscription: subscription.id,
      // the official client reads escapes in 1.2 only
      'message-id': expect.stringMatching(version === '1.1' ? /^[0-9a-z]+\\c1$/ : /^[0-9a-z]+:1$/) as string,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(first.body)),
    });
    await host.publish([activated(concertId, userId, 300)]);
    expect(JSON.parse((await messages.next()).body)).toMatchObject({
      event: 'ACTIVE',
      data: { status: 'ACTIVE', rank: 0, activeTtlSeconds: 300 },
    });

    client.watchForReceipt('r-2', (receipt) => receipts.push(receipt.headers['receipt-id'] as string));
    subscription.unsubscribe({ receipt: 'r-2' } as StompHeaders);
    expect(await receipts.next()).toBe('r-2');
    await host.publish([rank(concertId, userId, 3)]);
    expect((await remove(`${QUEUE}?userId=${userId}&concertId=${concertId}`)).status).toBe(204);
    await client.deactivate();
    expect(messages.all).toHaveLength(2);
  });

  test('is told reservations in commit order, and what happened between registering and subscribing', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    const destination = `/topic/reservations/${seatId}/${userId}`;
    expect((await register(SEATS, { userId, seatId })).body).toEqual({ transport: 'websocket', destination });
    await host.publish([settled(seatId, userId, 'FAIL', { timestamp: '2026-02-19T01:21:00.000Z' }), settled(seatId, userId, 'SUCCESS')]);

    const client = await officialClient(host.url);
    const messages = queue<IMessage>();
    client.subscribe(destination, (message) => messages.push(message));
    expect((await messages.next()).body).toBe(
      JSON.stringify({ event: 'RESERVATION_STATUS', userId, seatId, status: 'FAIL', timestamp: '2026-02-19T01:21:00.000Z' }),
    );
    expect(JSON.parse((await messages.next()).body)).toMatchObject({ status: 'SUCCESS' });
    await host.publish([settled(seatId, userId, 'FAIL')]);
    expect((await messages.next()).headers['message-id']).toMatch(/:3$/);
    await client.deactivate();

    const again = await officialClient(host.url);
    const later = queue<IMessage>();
    await new Promise<void>((resolve) => {
      again.watchForReceipt('sub', () => resolve());
      again.subscribe(destination, (message) => later.push(message), { receipt: 'sub' });
    });
    await host.publish([settled(seatId, userId, 'SUCCESS')]);
    expect((await later.next()).headers['message-id']).toMatch(/:4$/);
    await again.deactivate();
  });
});

test('an independent client, which offers its subprotocols in its own way, does the same', async () => {
  const [userId, concertId] = [freshId(), freshId()];
  const destination = `/topic/waiting-queue/${concertId}/${userId}`;
  await host.publish([rank(concertId, userId, 5)]);
  await host.eventually(
    () => host.get(`/api/health`),
    () => true,
  );
  const socket = new WebSocket(`${host.url.replace('http', 'ws')}/ws`, ['v10.stomp', 'v11.stomp', 'v12.stomp']);
  const client = webstomp.over(socket as never, { debug: false, heartbeat: { incoming: 0, outgoing: 10_000 } });
  await new Promise<void>((resolve, reject) =>
    client.connect(
      {},
      () => resolve(),
      (error) => reject(new Error(JSON.stringify(error))),
    ),
  );
  const messages = queue<{ body: string }>();
  const subscription = client.subscribe(destination, (message) => messages.push(message));
  await host.publish([rank(concertId, userId, 4)]);
  let last = JSON.parse((await messages.next()).body) as { data: { rank: number } };
  while (last.data.rank !== 4) last = JSON.parse((await messages.next()).body) as typeof last;
  subscription.unsubscribe();
  await new Promise<void>((resolve) => client.disconnect(resolve));
});

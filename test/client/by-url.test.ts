/** The client library against a whole deployment, by URL. */
import { afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type Client, type ClientOptions, createClient, type SocketClass } from '../../client/index.ts';
import { alert, freshId, freshTicker, settled, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';

const host = sharedHost();
const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function open(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: host.url, env: { WebSocket: WebSocket as unknown as SocketClass }, ...options });
  client.on('error', () => undefined);
  clients.push(client);
  client.start();
  return client;
}
const until = <Value>(read: () => Value, claim: (value: Value) => boolean) => host.eventually(async () => read(), claim);

test('watch gets the quote at once, and then the newest', async () => {
  const ticker = freshTicker();
  await host.publish([tick(ticker, 70_000)]);
  const client = open();
  const prices: number[] = [];
  const handle = client.watch(`price:${ticker}`, ({ data }) => void prices.push(data.price));
  await until(
    () => prices,
    (all) => all.includes(70_000),
  );
  expect([client.status, client.transport, handle.status]).toEqual(['live', 'websocket', 'live']);
  await host.publish([tick(ticker, 70_100)]);
  await until(
    () => prices,
    (all) => all.at(-1) === 70_100,
  );
  expect(handle.position).toMatch(/^[a-z0-9]+-\d+$/);
  handle.close();
  expect(handle.status).toBe('closed');
});

test('follow gets every message in order; a later follower gets the last few', async () => {
  const [seatId, userId] = [freshId(), freshId()];
  const topic = `/topic/reservations/${seatId}/${userId}` as const;
  const client = open();
  const got: string[] = [];
  const handle = client.follow(topic, ({ timestamp }) => void got.push(timestamp));
  await until(
    () => handle.status,
    (status) => status === 'live',
  );
  const stamps = Array.from({ length: 20 }, (_, index) => `2026-02-19T01:21:${10 + index}.000Z`);
  await host.publish(stamps.map((timestamp) => settled(seatId, userId, 'SUCCESS', { timestamp })));
  await until(
    () => got,
    (all) => all.length === 20,
  );
  const order = [...got];

  const late: string[] = [];
  client.follow(topic, ({ timestamp }) => void late.push(timestamp), { last: 3 });
  await until(
    () => late,
    (all) => all.length === 3,
  );
  expect(late).toEqual(order.slice(-3));
  expect(got).toEqual(order);
});

test('a loop over a topic ends with its client', async () => {
  const ticker = freshTicker();
  const client = open();
  const titles: string[] = [];
  const loop = (async () => {
    for await (const { data } of client.follow('ops:alert', { filter: { alert_levels: ['critical'] } }))
      if (data.title.startsWith(ticker)) titles.push(data.title);
  })();
  await until(
    () => client.status,
    (status) => status === 'live',
  );
  await host.publish([alert({ level: 'info', title: `${ticker} a` }), alert({ level: 'critical', title: `${ticker} b` })]);
  await until(
    () => titles,
    (all) => all.length === 1,
  );
  client.close();
  await loop;
  expect(titles).toEqual([`${ticker} b`]);
});

test('a request resolves with its answer, and rejects with the server’s refusal', async () => {
  const client = open();
  await until(
    () => client.status,
    (status) => status === 'live',
  );
  const client_time = new Date().toISOString();
  expect(await client.request({ type: 'ping', data: { client_time } })).toMatchObject({ type: 'pong', data: { client_time } });
  await expect(client.request({ type: 'service_control', data: { service_id: 'nobody', action: 'start' } })).rejects.toMatchObject({
    code: 'SERVICE_NOT_FOUND',
  });
});

test('over event streams alone, with the same positions', async () => {
  const [seatId, userId] = [freshId(), freshId()];
  const topic = `/topic/reservations/${seatId}/${userId}` as const;
  const socket = open();
  const bySocket: unknown[] = [];
  const one = socket.follow(topic, (message) => void bySocket.push(message));
  await until(
    () => one.status,
    (status) => status === 'live',
  );
  await host.publish([settled(seatId, userId, 'FAIL', { timestamp: '2026-02-19T01:21:00.000Z' })]);
  await until(
    () => bySocket,
    (all) => all.length === 1,
  );

  const streaming = open({ transports: ['sse'] });
  const byStream: unknown[] = [];
  const other = streaming.follow(topic, (message) => void byStream.push(message), { since: `${String(one.position).split('-')[0]}-0` });
  await until(
    () => byStream,
    (all) => all.length === 1,
  );
  expect(byStream).toEqual(bySocket);
  expect([streaming.transport, other.position]).toEqual(['sse', one.position]);
});

test('a topic of no channel is denied, and its loop ends with the reason', async () => {
  const client = open();
  const loop = (async () => {
    for await (const _ of client.follow('no:such:topic')) expect.fail('nothing can come');
  })();
  await expect(loop).rejects.toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', fatal: true });
});

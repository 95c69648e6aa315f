/** Fields that help a client to come back, by URL (`docs/protocol.md`): the newest so many of a log, a topic's stream, and the positions of REST reads. */
import { describe, expect, test } from 'vitest';
import { type Message, ofType } from '../helpers/client.ts';
import { alert, freshId, freshTicker, settled, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { shortLived } from '../helpers/short-lived.ts';

const host = sharedHost();
const dial = shortLived();
const client = () => dial(host.url);

const reservations = (seatId: number, userId: number) => `/topic/reservations/${seatId}/${userId}`;

/** A log with so many messages, each of its own status. */
async function logOf(messages: number): Promise<{ topic: string; timestamps: string[] }> {
  const [seatId, userId] = [freshId(), freshId()];
  const timestamps = Array.from({ length: messages }, (_, index) => `2026-02-19T01:21:0${index}.000Z`);
  const reader = await client();
  const topic = reservations(seatId, userId);
  reader.send({ type: 'subscribe', topic });
  await reader.until(ofType('subscribed'));
  for (const timestamp of timestamps) {
    await host.publish([settled(seatId, userId, 'SUCCESS', { timestamp })]);
    await reader.until((message) => message['timestamp'] === timestamp);
  }
  return { topic, timestamps };
}

describe('last', () => {
  test('a log delivers its newest so many first, in order, and then what is new', async () => {
    const { topic, timestamps } = await logOf(4);
    const one = await client();
    one.send({ type: 'subscribe', topic, last: 2 });

    const subscribed = await one.until(ofType('subscribed'));
    expect(subscribed).not.toHaveProperty('recovered');
    const got = [await one.next(), await one.next()];
    const [from = '', first = ''] = [subscribed['from'], got[0]?.['position']].map(String);
    expect(Number(first.split('-')[1])).toBe(Number(from.split('-')[1]) + 1);
    expect(got.map(({ timestamp }) => timestamp)).toEqual(timestamps.slice(-2));
    await one.quiet((message) => message['event'] === 'RESERVATION_STATUS');
  });

  test('more than the log has delivers all of it; a second time it is delivered again', async () => {
    const { topic, timestamps } = await logOf(3);
    const one = await client();
    for (let time = 0; time < 2; time++) {
      one.send({ type: 'subscribe', topic, last: 1_000 });
      await one.until(ofType('subscribed'));
      const got: Message[] = [];
      while (got.length < 3) got.push(await one.until((message) => message['event'] === 'RESERVATION_STATUS'));
      expect(got.map(({ timestamp }) => timestamp)).toEqual(timestamps);
    }
  });

  test('it goes with several topics, and with types of broadcasts; a state topic delivers its state', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 71_000)]);
    await host.publish([alert({ title: `before-${ticker}` })]);
    await host.eventually(
      () => host.get(`/internal/price/${ticker}`),
      ({ status }) => status === 200,
    );
    const reader = await client();
    reader.send({ type: 'subscribe', topics: [`price:${ticker}`, 'ops:alert'], last: 100 });
    await reader.until((message) => message['type'] === 'price_update');
    await reader.until((message) => JSON.stringify(message).includes(`before-${ticker}`));
    const other = await client();
    other.send({ type: 'subscribe', data: { event_types: ['alert'] }, last: 100 });
    await other.until((message) => JSON.stringify(message).includes(`before-${ticker}`));
  });

  test.each([
    ['0', { last: 0 }],
    ['1,001', { last: 1_001 }],
    ['a fraction', { last: 1.5 }],
    ['a text', { last: '5' }],
    ['together with since', { last: 5, since: 'abcdef0123-4' }],
  ])('%s is refused', async (_, fields) => {
    const one = await client();
    one.send({ type: 'subscribe', topic: 'ops:alert', ...fields });
    expect(await one.until(ofType('error'))).toMatchObject({ data: { error_code: 'INVALID_MESSAGE_FORMAT' } });
    one.send({ type: 'subscribe', data: { event_types: ['alert'] }, ...fields });
    expect(await one.until(ofType('error'))).toMatchObject({ data: { error_code: 'INVALID_MESSAGE_FORMAT' } });
  });
});

describe('the stream of a topic', () => {
  test('subscribed says where it is, and it goes on there with the same position', async () => {
    const { topic, timestamps } = await logOf(2);
    const one = await client();
    one.send({ type: 'subscribe', topic, last: 2 });
    const { stream } = await one.until(ofType('subscribed'));
    const first = await one.next();

    const response = await fetch(`${host.url}${String(stream)}&once=1`, { headers: { 'last-event-id': String(first['position']) } });
    const text = await response.text();
    expect(text).toContain(String(timestamps[1]));
    expect(text).not.toContain(String(timestamps[0]));
  });

  test('a topic without a stream has none', async () => {
    const one = await client();
    one.send({ type: 'subscribe', topics: ['price:005930', 'ops:alert'] });
    expect(await one.until(ofType('subscribed'))).not.toHaveProperty('stream');
    expect(await one.until((message) => message['topic'] === 'ops:alert')).not.toHaveProperty('stream');
  });
});

describe('one answer instead of a stream', () => {
  test('with once=1 it ends; with format=json it has the messages, with their positions, and where to go on', async () => {
    const { topic, timestamps } = await logOf(3);
    const one = await client();
    one.send({ type: 'subscribe', topic, last: 3 });
    const { stream } = await one.until(ofType('subscribed'));
    const first = await one.next();
    const read = async (since: unknown) =>
      (await host.get(`${String(stream)}&once=1&format=json`, { 'last-event-id': String(since) })).body;

    const missed = await read(first['position']);
    expect(missed).toMatchObject({ recovered: true, messages: [{ timestamp: timestamps[1] }, { timestamp: timestamps[2] }] });
    const { position } = missed;
    expect((missed['messages'] as Message[]).at(-1)?.['position']).toBe(position);
    expect(await read(position)).toEqual({ messages: [], position, recovered: true });
    expect(await read('someother1-7')).toMatchObject({ recovered: false, messages: [{}, {}, {}] });
  });

  test('a state topic answers its state', async () => {
    const [userId, concertId] = [freshId(), freshId()];
    const response = await fetch(`${host.url}/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=${concertId}&once=1`);
    expect(await response.text()).toContain('UNKNOWN');
  });
});

describe('the position of a read', () => {
  test('a quote and its history say where they stand; a subscription from there lacks nothing and repeats nothing', async () => {
    const ticker = freshTicker();
    await host.publish([tick(ticker, 70_000, { timestamp: '2026-02-06T22:48:44.000Z' })]);
    const read = () => host.get(`/api/kr/stocks/${ticker}/realtime-price`);
    const { headers } = await host.eventually(read, ({ status }) => status === 200);
    const position = String(headers.get('push-position'));
    for (const path of [`/internal/price/${ticker}`, `/api/kr/stocks/${ticker}/history`])
      expect((await host.get(path)).headers.get('push-position')).toBe(position);
    const unchanged = await fetch(`${host.url}/internal/price/${ticker}`, { headers: { 'if-none-match': String(headers.get('etag')) } });
    expect([unchanged.status, unchanged.headers.get('push-position')]).toEqual([304, position]);

    const one = await client();
    one.send({ type: 'subscribe', topic: `price:${ticker}`, since: position });
    expect(await one.until(ofType('subscribed'))).toMatchObject({ position, recovered: true });
    await host.publish([tick(ticker, 70_100, { timestamp: '2026-02-06T22:48:45.000Z' })]);
    expect(await one.until(ofType('price_update'))).toMatchObject({ data: { price: 70_100 } });
  });

  test('a registration says where it stands, to pages of any origin too', async () => {
    const [userId, seatId] = [freshId(), freshId()];
    const response = await fetch(`${host.url}/api/push/websocket/reservations/subscriptions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://shop.example' },
      body: JSON.stringify({ userId, seatId }),
    });
    expect(response.headers.get('access-control-expose-headers')).toContain('push-position');
    expect(response.headers.get('push-position')).toMatch(/^[a-z0-9]+-0$/);
  });
});

/** Messages too large for a frame, by URL (`docs/protocol.md`, "Large messages"). */
import { expect, test } from 'vitest';
import { type Client, type Message, ofType } from '../helpers/client.ts';
import { alert, freshId, log, logEntry } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';
import { shortLived } from '../helpers/short-lived.ts';

const host = sharedHost();
const dial = shortLived();
const subscriberOf = async (type: string, filters: object = {}): Promise<Client> => {
  const one = await dial(host.url);
  one.send({ type: 'subscribe', data: { event_types: [type], filters } });
  await one.until(ofType('subscribed'));
  return one;
};
const freshMark = () => `mark-${freshId()}`;
const carries = (mark: string) => (message: Message) => JSON.stringify(message).includes(mark);

test('a message of 900 KB is delivered by reference, and its body can be fetched', async () => {
  const mark = freshMark();
  const one = await subscriberOf('alert');
  const message = '가나다'.repeat(100_000);

  await host.publish([{ ...alert({ category: mark, level: 'error', title: 'large', message }), id: mark }]);
  const received = await one.until(({ broadcast_id }) => broadcast_id === `alert_${mark}`);
  const { status, body } = await host.get(String(received['ref']));

  expect(received).toEqual({
    type: 'alert',
    data: {},
    timestamp: expect.any(String),
    broadcast_id: `alert_${mark}`,
    ref: expect.stringMatching(/^\/api\/messages\/[0-9a-f-]{36}$/),
    bytes: expect.any(Number),
    expires_at: expect.stringMatching(/Z$/),
    position: expect.any(String),
  });
  expect(received['bytes']).toBe(Buffer.byteLength(JSON.stringify(body)));
  expect(received['bytes']).toBeGreaterThan(900_000);
  expect(Date.parse(String(received['expires_at'])) - Date.now()).toBeGreaterThan(80_000_000);
  expect(status).toBe(200);
  expect(body).toMatchObject({ type: 'alert', broadcast_id: `alert_${mark}`, data: { message, category: mark } });
});

test('a filter applies to messages that are delivered by reference, too', async () => {
  const [dropped, passed] = [freshMark(), freshMark()];
  const one = await subscriberOf('alert', { alert_levels: ['critical'] });
  const large = (id: string, level: string) => ({ ...alert({ level, message: 'x'.repeat(200_000) }), id });

  await host.publish([large(dropped, 'info'), large(passed, 'critical')]);

  await one.until(carries(passed));
  expect(one.received.filter(carries(dropped))).toEqual([]);
});

test('a message just below the limit is delivered with its data', async () => {
  const mark = freshMark();
  const one = await subscriberOf('alert');

  await host.publish([alert({ category: mark, message: 'x'.repeat(95_000) })]);
  const received = await one.until(carries(mark));

  expect(received['ref']).toBeUndefined();
  expect(JSON.stringify(received).length).toBeGreaterThan(95_000);
});

test('a large log_update is split in order, and each part has its own count', async () => {
  const mark = freshMark();
  const one = await subscriberOf('log_update');
  const entries = Array.from({ length: 900 }, (_, index) => logEntry('INFO', `${mark} ${index} ${'x'.repeat(800)}`));

  await host.publish([log({ entries, total_new_entries: 900 })]);
  const parts: { entries: { message: string }[]; total_new_entries: number }[] = [];
  for (let count = 0; count < 900; ) {
    const received = await one.until(carries(mark));
    expect(received['ref']).toBeUndefined();
    const data = received['data'] as (typeof parts)[number];
    expect(data.total_new_entries).toBe(data.entries.length);
    count += data.entries.length;
    parts.push(data);
  }

  expect(parts.length).toBeGreaterThan(5);
  expect(parts.flatMap((part) => part.entries.map(({ message }) => Number(message.split(' ')[1])))).toEqual(
    entries.map((_, index) => index),
  );
});

test('a log entry that is too large by itself is delivered by reference', async () => {
  const mark = freshMark();
  const one = await subscriberOf('log_update', { log_levels: ['ERROR'] });

  await host.publish([{ ...log({ entries: [logEntry('ERROR', `${mark} ${'x'.repeat(150_000)}`)] }), id: mark }]);
  const received = await one.until(carries(mark));

  expect(received).toMatchObject({ type: 'log_update', data: {}, ref: expect.any(String) });
  expect(JSON.stringify((await host.get(String(received['ref']))).body)).toContain(`${mark} xxx`);
});

test('a request over the limit is refused with PAYLOAD_TOO_LARGE', async () => {
  const large = alert({ message: 'x'.repeat(1_000_001) });
  expect(await host.post('/internal/events', { events: [large] })).toMatchObject({
    status: 413,
    body: { error_code: 'PAYLOAD_TOO_LARGE', details: { limit_bytes: 1_000_000 } },
  });
});

test.each(['no-such-message', '..%2F..%2Fsecrets', 'x'.repeat(300), '%00'])('an unknown reference is 404 (%#)', async (id) => {
  expect(await host.get(`/api/messages/${id}`)).toMatchObject({ status: 404, body: { error_code: 'NOT_FOUND' } });
});

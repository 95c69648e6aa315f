/** Contract B over the socket: whatever a client sends, it is answered, and only what the platform refuses ends the connection. */
import { afterAll, describe, expect, test } from 'vitest';
import { ofType } from '../helpers/client.ts';
import { sharedHost } from '../helpers/host.ts';
import { shortLived } from '../helpers/short-lived.ts';

const host = sharedHost();
const dial = shortLived(afterAll);
const client = (options?: Parameters<typeof dial>[1]) => dial(host.url, options);

describe('bad input is answered and leaves the connection open:', () => {
  const cases: [string, string, string][] = [
    ['bytes that are not JSON', '\u0000\u0001 not json', 'INVALID_MESSAGE_FORMAT'],
    ['half a message', '{"type":"subscribe"', 'INVALID_MESSAGE_FORMAT'],
    ['an empty message', '', 'INVALID_MESSAGE_FORMAT'],
    ['a number', '42', 'INVALID_MESSAGE_FORMAT'],
    ['null', 'null', 'INVALID_MESSAGE_FORMAT'],
    ['a list', '[{"type":"pong"}]', 'INVALID_MESSAGE_FORMAT'],
    ['no type', '{"topic":"price:005930"}', 'INVALID_MESSAGE_FORMAT'],
    ['a type that is not a string', '{"type":7}', 'INVALID_MESSAGE_FORMAT'],
    ['an unknown type', '{"type":"sell"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['a type that is a property of every object', '{"type":"constructor"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['no topic', '{"type":"subscribe"}', 'INVALID_MESSAGE_FORMAT'],
    ['a topic that is not a string', '{"type":"subscribe","topic":{"a":1}}', 'INVALID_MESSAGE_FORMAT'],
    ['an empty list of topics', '{"type":"subscribe","topics":[]}', 'INVALID_MESSAGE_FORMAT'],
    ['a bad ticker', '{"type":"subscribe","topic":"price:0059301"}', 'INVALID_MESSAGE_FORMAT'],
    ['a ticker with the tables’ separator', '{"type":"subscribe","topic":"price:0059#0"}', 'INVALID_MESSAGE_FORMAT'],
    ['a topic of a thousand characters', `{"type":"subscribe","topic":"price:${'9'.repeat(1000)}"}`, 'INVALID_MESSAGE_FORMAT'],
    ['an invalid position', '{"type":"subscribe","topic":"price:005930","since":"yesterday"}', 'INVALID_MESSAGE_FORMAT'],
    [
      '2,000 topics in one message',
      JSON.stringify({ type: 'subscribe', topics: Array.from({ length: 2_000 }, (_, index) => `price:${String(index).padStart(6, '0')}`) }),
      'INVALID_MESSAGE_FORMAT',
    ],
    ['deeply nested lists', '['.repeat(10_000), 'INVALID_MESSAGE_FORMAT'],
  ];

  test.concurrent.each(cases)('%s', async (_, text, code) => {
    const chart = await client();
    await chart.next();

    chart.send(text);
    const answer = await chart.next();
    chart.send({ type: 'subscribe', topic: 'price:005930' });

    expect(answer).toEqual({
      type: 'error',
      data: { error_code: code, error_message: expect.any(String), details: expect.any(Object), timestamp: expect.any(String) },
      timestamp: expect.any(String),
    });
    expect(await chart.next()).toMatchObject({ type: 'subscribed' });
  });

  test('except for a message over 128 KB, which closes with 1009', async () => {
    const chart = await client();

    chart.send('x'.repeat(129 * 1024));

    expect(await chart.closed()).toEqual({ code: 1009 });
  });

  test('except for a binary message, which closes with 1003', async () => {
    const chart = await client();

    chart.socket.send(Buffer.from([1, 2, 3]));

    expect(await chart.closed()).toEqual({ code: 1003 });
  });

  test('more than 100 messages in a second, which get RATE_LIMIT_EXCEEDED', async () => {
    const chart = await client();
    await chart.next();

    for (let index = 0; index < 260; index++) chart.send({ type: 'subscribe', topic: 'price:005930' });
    const limited = await chart.until(ofType('error'));
    await host.eventually(() => {
      chart.send({ type: 'unsubscribe', topic: 'price:005930' });
      return chart.next();
    }, ofType('unsubscribed'));

    expect(limited['data']).toMatchObject({ error_code: 'RATE_LIMIT_EXCEEDED' });
    expect(chart.received.filter(ofType('subscribed')).length).toBeGreaterThanOrEqual(100);
  });

  test('a pong gets no reply', async () => {
    const chart = await client();
    await chart.next();

    chart.send({ type: 'pong' });

    await chart.quiet(() => false);
    expect(chart.received.filter(ofType('error'))).toEqual([]);
  });
});

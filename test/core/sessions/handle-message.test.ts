import { beforeEach, describe, expect, test } from 'vitest';
import { METRIC } from '../../../core/names.ts';
import type { TouchRequest } from '../../../core/ports/connections.ts';
import { handleMessage } from '../../../core/sessions/handle-message.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';
import { frame } from '../../helpers/stomp.ts';

let ports: MemoryPorts;
let touches: TouchRequest[];
beforeEach(() => {
  ports = memoryPorts();
  touches = [];
  const { touch } = ports.connections;
  ports.connections.touch = (connectionId, request) => {
    touches.push(request);
    return touch(connectionId, request);
  };
});
const PLAIN = { pong: false, subscribes: 0, weight: 1, pace: null };

describe('a message counts', () => {
  test.each<[string, string, Partial<TouchRequest>]>([
    ['a pong', '{"type":"pong"}', { ...PLAIN, pong: true }],
    ['an unsubscribe', '{"type":"unsubscribe","topics":["a","b"]}', PLAIN],
    ['a subscribe', '{"type":"subscribe","topics":["price:005930","price:000660"]}', { ...PLAIN, subscribes: 2 }],
    ['the same topic twice', '{"type":"subscribe","topic":"price:005930","topics":["price:005930"]}', { ...PLAIN, subscribes: 1 }],
    ['a text that is no JSON', 'nonsense', PLAIN],
    ['a JSON text that subscribes to nothing', '{"type":"subscribe"}', PLAIN],
    ['an unknown type', '{"type":"SUBSCRIBE\\n"}', PLAIN],
    ['a message of a system', '{"type":"ping","data":{"client_time":"2026-02-06T00:00:00Z"}}', { ...PLAIN, pace: 10 }],
    [
      'a subscribe of a system',
      '{"type":"subscribe","data":{"event_types":["alert","log_update","alert"]}}',
      { ...PLAIN, pace: 10, subscribes: 2 },
    ],
    ['a heart-beat', '\n', PLAIN],
    ['frames of STOMP', frame('CONNECT', {}) + frame('SUBSCRIBE', {}) + frame('SUBSCRIBE', {}), { ...PLAIN, weight: 3, subscribes: 2 }],
  ])('%s as its load', async (_, text, load) => {
    const say = await senderOf(ports, 'a');

    await say(text);

    expect(touches).toEqual([{ ...load, atMs: ports.clock.now(), nowMs: ports.clock.now() }]);
  });

  test('at the time at which the gateway took it', async () => {
    const say = await senderOf(ports, 'a');
    const receivedAtMs = ports.clock.now() - 700;

    await say('{"type":"pong"}', receivedAtMs);

    expect(touches).toMatchObject([{ atMs: receivedAtMs, nowMs: receivedAtMs + 700 }]);
  });
});

describe('the metrics', () => {
  test('count the message and the posts that were sent, and measure the time since it was taken', async () => {
    const say = await senderOf(ports, 'a');
    const receivedAtMs = ports.clock.now() - 700;

    await say('{"type":"unsubscribe","topic":"price:005930"}', receivedAtMs);

    expect(Object.fromEntries(ports.report.counts)).toEqual({
      [METRIC.messagesIn]: 1,
      // `connected`, `unsubscribed`
      [METRIC.messagesOut]: 2,
      [METRIC.answerTime]: 700,
    });
  });

  test('do not count a post that was not sent', async () => {
    const say = await senderOf(ports, 'a');
    ports.gateway.outcome.set('a', 'gone');

    await say('{"type":"unsubscribe","topic":"price:005930"}');

    expect(ports.report.counts.has(METRIC.messagesOut)).toBe(false);
  });

  test('count a failure', async () => {
    const say = await senderOf(ports, 'a');

    await say('nonsense');

    expect(ports.report.counts.get(METRIC.errors)).toBe(1);
    expect(ports.report.lines).toEqual([]);
  });

  test('measure a message that failed, too', async () => {
    const say = await senderOf(ports, 'a');
    ports.connections.touch = () => Promise.reject(new Error('no table'));

    await say('{"type":"pong"}', ports.clock.now() - 300);

    expect(ports.report.counts.get(METRIC.answerTime)).toBe(300);
    expect(ports.report.lines).toEqual(['a client message failed: Error: no table']);
  });
});

test('a socket without a record is closed, so that its client connects again', async () => {
  await handleMessage({ connectionId: 'gone', text: '{"type":"pong"}', receivedAtMs: ports.clock.now(), requestId: 'r' }, ports);

  expect(ports.gateway.closed).toEqual(['gone']);
  expect(ports.gateway.posted).toEqual([]);
});

test('an error that cannot be sent is reported, and not thrown', async () => {
  const say = await senderOf(ports, 'a');
  await say('{"type":"pong"}');
  ports.gateway.post = () => Promise.reject(new Error('no gateway'));

  await say('nonsense');

  expect(ports.report.lines).toEqual(['an error could not be sent: Error: no gateway']);
});

describe('a flood', () => {
  test('of 100 messages in a second is served, and the next is not', async () => {
    const say = await senderOf(ports, 'a');
    for (let count = 1; count <= 100; count++) await say('{"type":"pong"}');
    expect(posted(ports, 'a').map(({ type }) => type)).toEqual(['connected']);

    await say('{"type":"pong"}');

    expect(posted(ports, 'a').at(-1)).toMatchObject({
      data: {
        error_code: 'RATE_LIMIT_EXCEEDED',
        error_message: 'more than 100 messages a second; this one was not served',
        details: { limit_per_second: 100 },
      },
    });
  });

  test("of a system's messages is limited by its own pace", async () => {
    const say = await senderOf(ports, 'a');
    const ping = `{"type":"ping","data":{"client_time":"2026-02-06T00:00:00Z"}}`;
    for (let count = 1; count <= 10; count++) await say(ping, ports.clock.now());
    ports.gateway.posted.length = 0;

    await say(ping, ports.clock.now());

    expect(posted(ports, 'a')).toMatchObject([{ data: { error_code: 'RATE_LIMIT_EXCEEDED', details: { limit_per_second: 10 } } }]);
  });
});

test('an error quotes the first 200 characters of a wrong message', async () => {
  const say = await senderOf(ports, 'a');

  await say('x'.repeat(500));

  expect(posted(ports, 'a').at(-1)).toMatchObject({
    data: { details: { expected_fields: ['type', 'data'], received_message: 'x'.repeat(200) } },
  });
});

test('a STOMP session that is opened by its first frame is refused where only event streams are offered', async () => {
  ports = { ...ports, mode: 'sse' as 'both' };
  const say = await senderOf(ports, 'a');

  await say(frame('CONNECT', { 'accept-version': '1.2' }));

  expect(ports.gateway.posted.map(({ frame: text }) => text)).toEqual([
    expect.stringMatching(/^\n\n\0ERROR\n(.*\n)*error-code:CHANNEL_DISABLED/),
  ]);
  expect(ports.gateway.closed).toEqual(['a']);
});

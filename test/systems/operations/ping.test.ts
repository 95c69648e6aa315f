import { beforeEach, expect, test } from 'vitest';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let say: Awaited<ReturnType<typeof senderOf>>;
beforeEach(async () => {
  ports = memoryPorts();
  ports.clock.nowMs = Date.parse('2026-02-06T22:48:45.000Z');
  say = await senderOf(ports, 'a');
});
const answer = async (clientTime: unknown) => {
  await say({ type: 'ping', data: { client_time: clientTime } });
  return posted(ports, 'a').at(-1);
};

test('a ping is answered with its time, ours, and the time it took', async () => {
  const timestamp = '2026-02-06T22:48:45.000Z';

  expect(await answer('2026-02-06T22:48:44.590Z')).toEqual({
    type: 'pong',
    data: { client_time: '2026-02-06T22:48:44.590Z', server_time: timestamp, latency_ms: 410 },
    timestamp,
  });
});

test.each([
  ['2026-02-06T22:48:44.590151+00:00', 410],
  ['2026-02-07T07:48:44+09:00', 1_000],
  ['2026-02-06T22:48:44', 1_000],
  ['2026-02-06T22:48:44.590151', 410],
  ['2026-02-06T22:48', 45_000],
  ['2026-02-06T22:48Z', 45_000],
  ['2026-02-06T22:48:45Z', 0],
  ['2026-02-06T22:50:00Z', 0],
])('the time %s, without zone in UTC, took %i ms', async (clientTime, latency) => {
  expect(await answer(clientTime)).toMatchObject({ type: 'pong', data: { client_time: clientTime, latency_ms: latency } });
});

test.each([
  'now',
  '',
  '2026-02-06',
  '2026-13-06T22:48:44Z',
  '2026-02-06 22:48:44',
  '2026-02-06T22:48:44.1234567890Z',
  'x2026-02-06T22:48:44Z',
  '2026-02-06T22:48:44Zx',
  '2026-02-06T22:48:44+0900',
])('%j is no time', async (clientTime) => {
  expect(await answer(clientTime)).toMatchObject({
    type: 'error',
    data: {
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: 'message.data.client_time: expected ISO 8601, such as 2026-02-06T22:48:44.590Z',
    },
  });
});

test('a ping without time is refused, and the error names the field', async () => {
  await say({ type: 'ping', data: {} });

  expect(posted(ports, 'a').at(-1)).toMatchObject({
    data: { error_message: 'message.data.client_time: is missing', details: { expected_fields: ['type', 'data'] } },
  });
});

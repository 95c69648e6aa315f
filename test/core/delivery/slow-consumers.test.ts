import { beforeEach, describe, expect, test } from 'vitest';
import { passOver } from '../../../core/delivery/slow-consumers.ts';
import type { Subscription } from '../../../core/ports/audience.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

const TOPIC = 'ops:alert';
let ports: MemoryPorts;
beforeEach(async () => {
  ports = memoryPorts();
  await senderOf(ports, 'slow');
});
const subscription = (over: Partial<Subscription> = {}): Subscription => ({
  topic: TOPIC,
  shard: 0,
  connectionId: 'slow',
  subscriptionId: '',
  dialect: 'json',
  from: 3,
  late: null,
  notBeforeMs: 0,
  strikes: 0,
  filter: null,
  registration: null,
  ...over,
});
const put = async (over: Partial<Subscription> = {}): Promise<Subscription> => {
  const one = subscription(over);
  await ports.audience.put(one, ports.clock.now(), ports.clock.now() + 7_200_000);
  return one;
};
const found = async () => (await ports.audience.find([subscription()]))[0];

test.each([
  [0, 1_000, 2],
  [1, 2_000, 3],
  [2, 4_000, 5],
  [5, 32_000, 33],
  [6, 60_000, 61],
  [20, 60_000, 61],
])('a consumer with %i strikes is passed over for %i ms, and a job comes back after that', async (strikes, waitMs, delaySeconds) => {
  const slow = await put({ strikes });

  await passOver(slow, { from: 3, behind: 2 }, 1_000, ports);

  expect(await found()).toMatchObject({ late: expect.any(String), from: 3, notBeforeMs: ports.clock.now() + waitMs, strikes: strikes + 1 });
  expect(ports.jobs.jobs).toEqual([{ job: { kind: 'drain', topic: TOPIC, shard: 0 }, delaySeconds }]);
  expect(ports.report.lines).toEqual(['a consumer is slow and is passed over']);
});

test('a consumer that missed only a repeat lacks the newest, although it has its offset', async () => {
  await passOver(await put(), { from: null, behind: 0 }, 1_000, ports);

  expect(await found()).toMatchObject({ late: expect.any(String), from: -1 });
});

test('the job is put before the consumer is marked: a crash in between leaves nothing behind', async () => {
  const slow = await put();
  ports.jobs.put = () => Promise.reject(new Error('no queue'));

  await expect(passOver(slow, { from: 3, behind: 2 }, 1_000, ports)).rejects.toThrow('no queue');

  expect(await found()).toMatchObject({ late: null, strikes: 0 });
});

describe('a consumer that is too far behind', () => {
  test('is closed, gets the reason, which asks it to connect again', async () => {
    await passOver(await put(), { from: 3, behind: 1_001 }, 1_000, ports);

    expect(ports.gateway.closed).toEqual(['slow']);
    expect(posted(ports, 'slow')).toMatchObject([
      {
        type: 'error',
        data: {
          error_code: 'RATE_LIMIT_EXCEEDED',
          error_message: 'too far behind on ops:alert: connect again, with the position of the last message',
          details: { topic: TOPIC },
        },
      },
    ]);
    expect(await ports.connections.read('slow')).toBeNull();
    expect(ports.jobs.jobs).toEqual([]);
    expect(ports.report.lines).toContain('a consumer is too far behind and is closed');
  });

  test('is not one that lacks just as many messages as it may', async () => {
    await passOver(await put(), { from: 3, behind: 1_000 }, 1_000, ports);

    expect(ports.gateway.closed).toEqual([]);
    expect(await found()).toMatchObject({ late: expect.any(String), strikes: 1 });
  });
});

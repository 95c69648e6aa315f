import { beforeEach, describe, expect, test } from 'vitest';
import { clientOf, disconnect } from '../../../core/connections/disconnect.ts';
import { METRIC } from '../../../core/names.ts';
import { type MemoryPorts, memoryPorts, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});

test('a connection is deleted with its subscriptions, and its duration is measured', async () => {
  const connectedAtMs = ports.clock.now();
  const say = await senderOf(ports, 'a');
  for (const topic of ['price:005930', 'price:000660']) await say({ type: 'subscribe', topic });
  const { report } = ports;
  ports.clock.nowMs = connectedAtMs + 90_000;
  report.lines.length = 0;

  await disconnect('a', ports);

  expect(await ports.connections.read('a')).toBeNull();
  expect(await ports.ownSubscriptions.list('a')).toEqual([]);
  expect(await ports.audience.find([{ topic: 'price:005930', shard: 0, connectionId: 'a', subscriptionId: '' }])).toEqual([null]);
  expect(report.counts.get(METRIC.connectionDuration)).toBe(90_000);
  expect(report.lines).toEqual(['disconnected']);
});

test('a connection that has gone already is not counted as gone twice', async () => {
  await senderOf(ports, 'a');
  await senderOf(ports, 'b');
  await disconnect('a', ports);
  ports.report.counts.clear();
  ports.report.lines.length = 0;

  await disconnect('a', ports);

  expect((await ports.connections.counted()).count).toBe(1);
  expect(ports.report.counts.size).toBe(0);
  expect(ports.report.lines).toEqual([]);
});

test('a subscription that outlived its record is deleted all the same', async () => {
  const key = { topic: 'price:005930', shard: 0, connectionId: 'a', subscriptionId: '' };
  await ports.ownSubscriptions.add(key, 1, ports.clock.now() + 1_000);

  await disconnect('a', ports);

  expect(await ports.ownSubscriptions.list('a')).toEqual([]);
});

describe('a connection counts', () => {
  const sourceIp = '10.0.0.1';

  test('for its user, whatever it announced', () => {
    expect(clientOf({ principal: { userId: 'me', roles: [] }, announced: 'a', sourceIp })).toBe('user#me');
  });

  test('for what it announced, together with its address', () => {
    expect(clientOf({ principal: null, announced: 'a', sourceIp })).toBe('address#10.0.0.1#a');
    expect(clientOf({ principal: null, announced: '', sourceIp })).toBe('address#10.0.0.1#');
  });

  test('for nobody before it announced itself', () => {
    expect(clientOf({ principal: null, announced: null, sourceIp })).toBeNull();
  });
});

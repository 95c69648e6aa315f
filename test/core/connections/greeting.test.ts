import { beforeEach, describe, expect, test } from 'vitest';
import { awaitGreeting, greet, greetLater } from '../../../core/connections/greeting.ts';
import type { Connection } from '../../../core/ports/connections.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
let startMs: number;
let slept: number[];
beforeEach(async () => {
  ports = memoryPorts();
  startMs = ports.clock.now();
  slept = [];
  const { sleep } = ports.clock;
  ports.clock.sleep = async (ms) => {
    slept.push(ms);
    await sleep(ms);
  };
  await senderOf(ports, 'a');
});
const connection = async (over: Partial<Connection> = {}): Promise<Connection> => ({
  ...((await ports.connections.read('a')) as Connection),
  ...over,
});
const greeting = (connectionId: string, atMs: number) => ({ kind: 'greet', connectionId, atMs }) as const;
const connectedAt = (ms: number) => ({
  type: 'connected',
  client_id: 'client-a',
  message: 'WebSocket connection established',
  data: {},
  timestamp: new Date(ms).toISOString(),
});

describe('a connection that has sent nothing', () => {
  test('is greeted at its time', async () => {
    await greetLater(greeting('a', startMs + 250), ports);

    expect(posted(ports, 'a')).toEqual([connectedAt(ports.clock.now())]);
    expect(slept).toEqual([250]);
    expect(await ports.connections.read('a')).toMatchObject({ greetedAtMs: startMs + 250 });
  });

  test('is greeted at once if its time has passed, and waits no longer than a greeting may take', async () => {
    await greetLater(greeting('a', startMs), ports);
    expect(slept).toEqual([]);
    await senderOf(ports, 'b');

    await greetLater(greeting('b', startMs + 60_000), ports);

    expect(slept).toEqual([250]);
  });

  test('is greeted once', async () => {
    await greetLater(greeting('a', startMs), ports);
    await greetLater(greeting('a', startMs), ports);

    expect(posted(ports, 'a')).toHaveLength(1);
  });

  test('is deleted if it is still gone after some time', async () => {
    ports.gateway.outcome.set('a', 'gone');

    await greetLater(greeting('a', startMs), ports);

    expect(slept).toEqual([100, 200, 400, 800]);
    expect(await ports.connections.read('a')).toBeNull();
  });

  test('is kept if the gateway is only busy', async () => {
    ports.gateway.outcome.set('a', 'slow');

    await greetLater(greeting('a', startMs), ports);

    expect(await ports.connections.read('a')).not.toBeNull();
  });
});

describe('a connection that has sent something', () => {
  test('is given time for the function that serves its frame, in the queue', async () => {
    ports.gateway.active.set('a', startMs + 10);

    await greetLater(greeting('a', startMs + 250), ports);

    expect(posted(ports, 'a')).toEqual([]);
    const [again] = ports.jobs.jobs.splice(0);
    expect(again).toEqual({ job: { ...greeting('a', startMs + 250), isLast: true }, delaySeconds: 2 });
    await greetLater({ ...greeting('a', startMs + 250), isLast: true }, ports);
    expect(posted(ports, 'a')).toEqual([connectedAt(ports.clock.now())]);
    expect(ports.jobs.jobs).toEqual([]);
    expect(slept).toEqual([250]);
  });

  test('is left alone once that function has greeted it', async () => {
    ports.gateway.active.set('a', startMs + 10);
    await ports.connections.claimGreeting('a', startMs + 20);

    await greetLater(greeting('a', startMs + 250), ports);
    await greetLater({ ...greeting('a', startMs + 250), isLast: true }, ports);

    expect(posted(ports, 'a')).toEqual([]);
    expect(ports.jobs.jobs).toEqual([]);
  });

  test('is not one that was active only when it connected', async () => {
    ports.gateway.active.set('a', startMs);

    await greetLater(greeting('a', startMs + 250), ports);

    expect(slept).toEqual([250]);
  });
});

describe('a greeting', () => {
  test('is tried again with growing pauses until it is sent', async () => {
    const outcomes = ['gone', 'slow', 'sent'] as const;
    let posts = 0;
    ports.gateway.post = async () => outcomes[posts++] ?? 'sent';

    expect(await greet(await connection(), ports)).toBe('sent');

    expect(posts).toBe(3);
    expect(slept).toEqual([100, 200]);
  });

  test('that another handler claimed is waited for until it is surely out', async () => {
    await awaitGreeting(await connection({ greetedAtMs: startMs - 100 }), ports);
    await awaitGreeting(await connection({ greetedAtMs: startMs - 100 }), ports);

    expect(slept).toEqual([150]);
  });

  test('is waited for no longer than its grace, even if its clock was ahead', async () => {
    await awaitGreeting(await connection({ greetedAtMs: startMs + 5_000 }), ports);

    expect(slept).toEqual([250]);
  });

  test('that is long out is not waited for', async () => {
    await awaitGreeting(await connection({ greetedAtMs: startMs - 250 }), ports);

    expect(slept).toEqual([]);
  });
});

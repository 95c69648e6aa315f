import { beforeEach, describe, expect, test } from 'vitest';
import { finiteAnswer, openStream, streamText } from '../../../core/http/event-stream.ts';
import type { TicketUse } from '../../../core/identity.ts';
import { identityOf } from '../../helpers/identity.ts';
import { type MemoryPorts, memoryPorts } from '../../helpers/ports.ts';

const TOPIC = '/topic/reservations/55/100';
const request = {
  method: 'GET',
  path: '/api/reservations/v5/subscribe',
  query: { userId: '100', seatId: '55' },
  token: null,
  lastEventId: null,
} as const;

let ports: MemoryPorts;
let epoch: string;
beforeEach(async () => {
  ports = memoryPorts();
  epoch = (await ports.topics.create(TOPIC)).epoch;
});
async function append(from: number, to: number): Promise<void> {
  for (let offset = from; offset <= to; offset++) {
    const value = { userId: 100, seatId: 55, status: 'FAIL', timestamp: `t${offset}` };
    await ports.topics.putLog(TOPIC, offset, `e${offset}`, value);
  }
  await ports.topics.raiseHead(TOPIC, to);
}
const register = (offset: number, stamp = 'mine') =>
  ports.registrations.register(TOPIC, { position: { epoch, offset }, stamp }, ports.clock.now() + 86_400_000);
const kept = () => ports.places.find(TOPIC);
const registered = async () => (await ports.registrations.find(TOPIC))?.stamp ?? null;
async function streamed(ms: number, lastEventId: string | null = null): Promise<string> {
  const opened = await openStream({ ...request, lastEventId }, ports);
  let text = '';
  for await (const piece of streamText(opened, ports.clock.now() + ms, ports)) text += piece;
  return text;
}
const ids = (text: string): string[] => [...text.matchAll(/^id: \w+-(\d+)\nretry: \d+\nevent/gm)].map(([, offset = '']) => offset);

describe('a registration', () => {
  test('is used up by a stream that delivers something after it', async () => {
    await register(1);
    await append(1, 3);

    expect(ids(await streamed(0))).toEqual(['2', '3']);

    expect(await registered()).toBeNull();
  });

  test('stays if there was nothing after it to deliver', async () => {
    await append(1, 3);
    await register(3);

    expect(ids(await streamed(0))).toEqual([]);

    expect(await ports.registrations.find(TOPIC)).toMatchObject({ position: { epoch, offset: 3 }, stamp: 'mine' });
  });

  test('stays if something was delivered only later: the client may have left by then', async () => {
    await register(0);
    const { sleep } = ports.clock;
    let slept = false;
    ports.clock.sleep = async (ms) => {
      await sleep(ms);
      if (!slept) await append(1, 1);
      slept = true;
    };

    expect(ids(await streamed(1_000))).toEqual(['1']);

    expect(await registered()).toBe('mine');
  });

  test('is used up by a finite answer only if that delivers something after it', async () => {
    await register(0);
    await finiteAnswer(await openStream(request, ports), ports);
    expect(await registered()).toBe('mine');

    await append(1, 1);
    await finiteAnswer(await openStream(request, ports), ports);

    expect(await registered()).toBeNull();
  });
});

describe('a client that returns', () => {
  test('gets what came after its id', async () => {
    await append(1, 5);

    expect(ids(await streamed(0, `${epoch}-3`))).toEqual(['4', '5']);
  });

  test('with an id after the registration has used it up', async () => {
    await append(1, 3);
    await register(1);
    await streamed(0, `${epoch}-2`);

    expect(await registered()).toBeNull();
  });

  test.each([
    ['the id at which the registration starts', 1],
    ['an id before the registration', 0],
  ])('with %s has not', async (_, offset) => {
    await append(1, 3);
    await register(1);
    await streamed(0, `${epoch}-${offset}`);

    expect(await registered()).toBe('mine');
  });

  test('with an id of another epoch has not, and gets all that is there', async () => {
    await append(1, 3);
    await register(1);

    expect(ids(await streamed(0, 'another-2'))).toEqual(['1', '2', '3']);
    expect(await registered()).toBe('mine');
  });

  test('with an id that is no position gets all that is there', async () => {
    await append(1, 3);

    expect(ids(await streamed(0, 'what?'))).toEqual(['1', '2', '3']);
  });

  test('keeps no place on the server', async () => {
    await append(1, 3);
    await streamed(0, `${epoch}-3`);

    expect(await kept()).toBeNull();
  });
});

describe('a client without id', () => {
  test('whose stream was cut before its first event misses nothing: its place is kept for the life of the stream, and half a minute', async () => {
    await append(1, 3);
    const opened = await openStream(request, ports);
    const text = streamText(opened, ports.clock.now() + 1_000, ports);
    await text.next();
    await append(4, 4);

    ports.clock.nowMs += 30_999;
    expect(await ports.places.find(TOPIC)).toMatchObject({ position: { epoch, offset: 3 } });
    expect(ids(await streamed(0))).toEqual(['4']);
    expect(await kept()).toBeNull();
  });

  test('keeps its place beside its registration, which may be used up on another transport', async () => {
    await register(0);
    await streamed(1_000);
    await append(1, 1);
    await ports.registrations.useUp(TOPIC, 'mine');

    expect(ids(await streamed(0))).toEqual(['1']);
    expect(await kept()).toBeNull();
  });

  test('keeps its place as often as it comes back without having got anything', async () => {
    await append(1, 3);
    for (let times = 0; times < 5; times++) {
      await streamed(1_000);
      ports.clock.nowMs += 29_000;
    }
    await append(4, 4);

    expect(ids(await streamed(0))).toEqual(['4']);
  });

  test('that does not come back leaves nothing', async () => {
    await streamed(1_000);
    ports.clock.nowMs += 30_001;

    expect(await kept()).toBeNull();
  });

  test('keeps a place at a finite answer, too', async () => {
    expect(await finiteAnswer(await openStream(request, ports), ports)).toBe(': keep-alive\n');
    await append(1, 1);
    ports.clock.nowMs += 29_000;

    expect(ids(String(await finiteAnswer(await openStream(request, ports), ports)))).toEqual(['1']);
  });
});

test('a stream begins with a comment, so that its head goes out, and has no block without data', async () => {
  expect(await streamed(0)).toBe(': keep-alive\n');
  await append(1, 1);
  expect(await streamed(15_000, `${epoch}-0`)).toMatch(
    new RegExp(`^: keep-alive\\nid: ${epoch}-1\\nretry: 500\\nevent: RESERVATION_STATUS\\ndata: .*\\n\\n: keep-alive\\n$`),
  );
});

test('a long log is delivered page by page, in one look', async () => {
  await register(0);
  await append(1, 250);

  expect(ids(await streamed(0))).toEqual(Array.from({ length: 250 }, (_, index) => String(index + 1)));
});

test('a sign of life goes out every 15 s', async () => {
  const text = await streamed(50_000);

  // one of them begins the stream
  expect(text.match(/^: keep-alive$/gm)).toHaveLength(4);
});

test('looks are 250 ms apart at first, then ever further, and never more than 700 ms', async () => {
  const slept: number[] = [];
  const { sleep } = ports.clock;
  ports.clock.sleep = async (ms) => {
    slept.push(ms);
    await sleep(ms);
  };

  await streamed(4_000);

  expect(slept.slice(0, 7)).toEqual([250, 312.5, 390.625, 488.28125, 610.3515625, 700, 700]);
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(4_000);
});

test('a topic that is made anew while a stream is open is delivered from its beginning', async () => {
  await append(1, 3);
  const { read } = ports.topics;
  const { sleep } = ports.clock;
  let slept = 0;
  ports.clock.sleep = async (ms) => {
    await sleep(ms);
    if (++slept !== 1) return;
    ports.topics.read = async (topics) => new Map([...(await read(topics))].map(([topic, state]) => [topic, { ...state, epoch: 'anew' }]));
  };

  const text = await streamed(1_000, `${epoch}-3`);

  expect(text.match(/^id: anew-\d+\n/gm)).toHaveLength(3);
});

test('a stream is not offered where only WebSocket is, and the error says what to use', async () => {
  await expect(openStream(request, { ...ports, mode: 'websocket' })).rejects.toMatchObject({
    code: 'CHANNEL_DISABLED',
    message: expect.stringMatching(/^APP_PUSH_MODE is websocket: use STOMP over WebSocket at \/ws, registered for by POST \/api\/push/),
    details: { mode: 'websocket' },
  });
});

describe('with identity', () => {
  test('a stream asks once a second whether its caller may stay, and ends when not', async () => {
    const asked: number[] = [];
    const startedMs = ports.clock.now();
    const me = { userId: '100', roles: [] };
    const mayStay = async () => asked.push(ports.clock.now() - startedMs) < 3;
    const identity = identityOf(async () => me, { mayStay });
    const opened = await openStream({ ...request, token: 't' }, { ...ports, identity });
    for await (const _ of streamText(opened, startedMs + 60_000, { ...ports, identity }));

    expect(ports.clock.now() - startedMs).toBeLessThan(6_000);
    for (const [index, ms] of asked.entries()) expect(ms - (asked[index - 1] ?? 0)).toBeLessThan(1_000 + 700);
  });

  test('a ticket is bound to the address as it is reopened: without itself and the last event id', async () => {
    const uses: TicketUse[] = [];
    const identity = identityOf(async () => Promise.reject(new Error('no token')), {
      redeem: async (use) => {
        uses.push(use);
        return { userId: '100', roles: [] };
      },
    });
    for (const query of [
      { userId: '100', seatId: '55', ticket: 't' },
      { seatId: '55', lastEventId: 'x-1', ticket: 't', userId: '100' },
    ])
      await openStream({ ...request, query }, { ...ports, identity });

    const url = '/api/reservations/v5/subscribe?seatId=55&userId=100';
    expect(uses).toEqual([
      { ticket: 't', path: request.path, url },
      { ticket: 't', path: request.path, url },
    ]);
  });
});

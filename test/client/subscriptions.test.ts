/** What the client library delivers: each message once and in order, whatever handlers, networks and servers do. */
import { describe, expect, test } from 'vitest';
import { type ClientOptions, createClient, type Gap, type Handle } from '../../client/index.ts';
import { makeLevers } from '../../local/base/levers.ts';
import { type World, world } from './world.ts';

async function started(options: Parameters<typeof world>[0] = {}, seed = 1): Promise<World> {
  const here = world(options, seed);
  here.client.start();
  await here.pass(1_000);
  return here;
}
const publish = (here: World, ...ns: number[]): void => {
  for (const n of ns) here.publish('log', { type: 'x', n });
};
const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
const sentOf = (here: World, type: string) => here.sockets.flatMap(({ sent }) => sent.filter((message) => message['type'] === type));

describe('a log', () => {
  test('random losses, delays, replacements and handlers: every message once, in order (25, 29)', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { random } = makeLevers(seed * 31);
      const here = world({}, seed);
      here.topic('log');
      here.delayMs = () => Math.floor(random() * 300);
      here.loses = () => random() < 0.03;
      const got: unknown[] = [];
      const isSlow = seed % 3 === 0;
      here.client.follow(
        'log',
        ({ n }) => {
          got.push(n);
          // a handler that takes time, with little room before it
          return isSlow ? new Promise<void>((done) => setTimeout(done)) : undefined;
        },
        { limit: isSlow ? 5 : 1_000, onGap: (gap) => expect.fail(`seed ${seed}: ${JSON.stringify(gap)}`) },
      );
      here.client.start();
      await here.pass(1_000);
      let n = 0;
      for (let step = 0; step < 60; step++) {
        publish(here, ...upTo(Math.floor(random() * 4)).map(() => ++n));
        const [socket] = here.open.toSorted(() => random() - 0.5);
        if (random() < 0.1) socket?.die();
        if (random() < 0.05) socket?.cut();
        if (random() < 0.1) socket?.say({ type: 'reconnect', after_ms: 0, within_ms: 500, data: {} });
        if (random() < 0.05) await here.page('woken');
        await here.pass(Math.floor(random() * 3_000));
        if (isSlow) await new Promise((done) => setTimeout(done));
      }
      // a loss shows by the message after it
      here.loses = () => false;
      publish(here, ++n);
      for (let round = 0; round < 40 && got.length < n; round++) {
        await here.pass(20_000);
        await here.page('woken');
        for (let turn = 0; turn < 10; turn++) await new Promise((done) => setTimeout(done));
      }
      expect(got, `seed ${seed}`).toEqual(upTo(n));
      here.client.close();
    }
  });

  test('a position of another epoch is a gap, and what is left follows (27, 28)', async () => {
    const here = await started();
    here.topic('log', 'log', 'new');
    publish(here, 1, 2);
    const gaps: Gap[] = [];
    const got: unknown[] = [];
    const handle = here.client.follow('log', ({ n }) => void got.push(n), { since: 'old-90', onGap: (gap) => gaps.push(gap) });
    await here.pass(1_000);
    expect([got, gaps, handle.position]).toEqual([[1, 2], [{ since: 'old-90', from: 'new-0' }], 'new-2']);

    // made anew while the client was away
    here.socket.die();
    here.topic('log', 'log', 'newer');
    publish(here, 7);
    await here.pass(5_000);
    publish(here, 8);
    await here.pass(1_000);
    expect([got, gaps.length, handle.position]).toEqual([[1, 2, 7, 8], 2, 'newer-2']);
  });

  test('a position that was trimmed is a gap', async () => {
    const here = await started();
    const log = here.topic('log', 'log', 'e');
    publish(here, 1, 2, 3, 4, 5);
    log.first = 4n;
    log.messages.splice(0, 3);
    const gaps: Gap[] = [];
    const got: unknown[] = [];
    here.client.follow('log', ({ n }) => void got.push(n), { since: 'e-1', onGap: (gap) => gaps.push(gap) });
    await here.pass(1_000);
    publish(here, 6);
    await here.pass(1_000);
    expect([got, gaps.length]).toEqual([[4, 5, 6], 1]);
  });

  test('a hole is asked for again, once; if it stays it is a gap', async () => {
    const here = await started();
    here.topic('log', 'log', 'e');
    const gaps: Gap[] = [];
    const got: unknown[] = [];
    here.client.follow('log', ({ n }) => void got.push(n), { onGap: (gap) => gaps.push(gap) });
    await here.pass(1_000);
    publish(here, 1);
    await here.pass(100);
    // the second is lost on its way
    here.topics.get('log')?.messages.push({ offset: 2n, body: { type: 'x', n: 2 } });
    publish(here, 3);
    await here.pass(1_000);
    expect([got, gaps]).toEqual([[1, 2, 3], []]);
    // a server that skips whatever is asked
    here.topics.get('log')?.messages.push({ offset: 9n, body: { type: 'x', n: 9 } });
    publish(here, 10);
    await here.pass(1_000);
    expect([got, gaps.length]).toEqual([[1, 2, 3, 9, 10], 1]);
  });

  test('offsets beyond what a number holds stay exact (31)', async () => {
    const here = await started();
    here.topic('log', 'log', 'e').messages.push({ offset: 9_007_199_254_740_992n, body: { type: 'x', n: 1 } });
    const got: unknown[] = [];
    const handle = here.client.follow('log', ({ n }) => void got.push(n), { onGap: () => expect.fail() });
    await here.pass(1_000);
    publish(here, 2, 3);
    await here.pass(1_000);
    expect([got, handle.position]).toEqual([[2, 3], 'e-9007199254740994']);
  });

  test('a handler that follows again neither loses nor doubles (26)', async () => {
    const here = await started();
    here.topic('log');
    const [first, second]: [unknown[], unknown[]] = [[], []];
    let handle: Handle;
    const again = (): void => {
      handle.close();
      handle = here.client.follow('log', ({ n }) => void second.push(n), { since: handle.position });
    };
    handle = here.client.follow('log', ({ n }) => {
      first.push(n);
      if (n === 3) again();
    });
    await here.pass(1_000);
    publish(here, 1, 2, 3, 4, 5);
    await here.pass(1_000);
    expect([first, second]).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  test('a handler that throws, or rejects, is told and keeps nothing from others (34)', async () => {
    const here = await started();
    here.topic('log');
    const got: unknown[] = [];
    here.client.follow('log', () => {
      throw new Error('mine');
    });
    here.client.follow('log', async ({ n }) => {
      got.push(n);
      throw new Error('rejected');
    });
    await here.pass(1_000);
    publish(here, 1, 2);
    await here.pass(1_000);
    expect(got).toEqual([1, 2]);
    expect(here.errors.map(({ code }) => code)).toEqual(['HANDLER', 'HANDLER', 'HANDLER', 'HANDLER']);
    expect(here.errors[0]).toMatchObject({ message: 'the handler of log failed: mine', topics: ['log'], fatal: false });
  });

  test('a slow handler bounds what waits: the server keeps the rest, and nothing is lost (37)', async () => {
    const here = await started();
    here.topic('log');
    const got: unknown[] = [];
    let goOn: (() => void)[] = [];
    here.client.follow(
      'log',
      ({ n }) => {
        got.push(n);
        return new Promise<void>((done) => goOn.push(done));
      },
      { limit: 10, onGap: () => expect.fail() },
    );
    await here.pass(1_000);
    for (let n = 1; n <= 100; n++) {
      publish(here, n);
      await here.pass(10);
    }
    // it is full: the server need not send what nobody takes
    expect(here.socket.subscribed.has('log')).toBe(false);
    for (let round = 0; round < 400 && got.length < 100; round++) {
      for (const one of goOn.splice(0)) one();
      await here.pass(100);
    }
    goOn = [];
    expect(got).toEqual(upTo(100));
  });

  test('two frames in one tick, and several messages in one frame, are all handed over (40)', async () => {
    const here = await started();
    const log = here.topic('log', 'log', 'e');
    const got: unknown[] = [];
    here.client.follow('log', ({ n }) => void got.push(n));
    await here.pass(1_000);
    log.messages.push(...upTo(4).map((n) => ({ offset: BigInt(n), body: { type: 'x', n } })));
    const text = (n: number) => JSON.stringify({ type: 'x', n, position: `e-${n}` });
    here.socket.say(`${text(1)}\n${text(2)}\n`);
    here.socket.say(text(3));
    here.socket.say(text(4));
    await here.pass(5);
    expect(got).toEqual(upTo(4));
  });

  test('a message by reference is fetched before it is handed over, in its order', async () => {
    const here = await started();
    here.topic('log', 'log', 'e');
    here.http = async (url) => new Response(JSON.stringify({ type: 'x', n: 1, of: url }));
    const got: unknown[] = [];
    here.client.follow('log', (message) => void got.push([message['n'], message['of'], message.position]));
    await here.pass(1_000);
    here.publish('log', { type: 'x', data: {}, ref: '/api/messages/1' });
    publish(here, 2);
    await here.pass(1_000);
    await new Promise((done) => setTimeout(done));
    await here.pass(1_000);
    expect(got).toEqual([
      [1, 'https://push.example/api/messages/1', 'e-1'],
      [2, undefined, 'e-2'],
    ]);
  });
});

describe('a state topic', () => {
  test('hands over the newest, and skips what a slow handler missed (37)', async () => {
    const here = await started();
    here.topic('price:005930', 'state');
    const price = (n: number) => here.publish('price:005930', { type: 'price_update', ticker: '005930', data: { price: n } });
    price(1);
    const got: number[] = [];
    let goOn: () => void = () => undefined;
    here.client.watch('price:005930', ({ data }) => {
      got.push(data.price);
      return new Promise<void>((done) => (goOn = done));
    });
    await here.pass(1_000);
    for (let n = 2; n <= 1_000; n++) price(n);
    await here.pass(1_000);
    expect(got).toEqual([1]);
    goOn();
    await here.pass(1_000);
    expect(got).toEqual([1, 1_000]);
  });

  test('who watches later gets the newest at once, and nothing is asked for twice', async () => {
    const here = await started();
    here.topic('price:005930', 'state');
    here.publish('price:005930', { type: 'price_update', ticker: '005930', data: { price: 7 } });
    const got: string[] = [];
    here.client.watch('price:005930', ({ data }) => void got.push(`a${data.price}`));
    await here.pass(1_000);
    here.client.watch('price:005930', ({ data }) => void got.push(`b${data.price}`));
    await here.pass(1_000);
    expect(got).toEqual(['a7', 'b7']);
    expect(sentOf(here, 'subscribe')).toHaveLength(1);
  });

  test('that is followed hands over the newest too, and what comes; skipped offsets are no gap', async () => {
    const here = await started();
    here.topic('price:005930', 'state');
    const price = (n: number) => here.publish('price:005930', { type: 'price_update', ticker: '005930', data: { price: n } });
    price(1);
    price(2);
    const got: number[] = [];
    here.client.follow('price:005930', ({ data }) => void got.push(data.price), { last: 5, onGap: () => expect.fail() });
    await here.pass(1_000);
    here.socket.die();
    price(3);
    price(4);
    await here.pass(5_000);
    expect(got).toEqual([2, 4]);
  });

  test('what is delivered again, without a position, is handed over too', async () => {
    const here = await started();
    here.topic('price:005930', 'state');
    const got: unknown[] = [];
    here.client.watch('price:005930', ({ data }) => void got.push(data));
    await here.pass(1_000);
    here.socket.say({ type: 'price_update', ticker: '005930', data: { price: 7, stale: true } });
    await here.pass(1_000);
    expect(got).toEqual([{ price: 7, stale: true }]);
  });
});

describe('subscribing', () => {
  test('wishes of one turn are one message; a hundred topics fit into a frame', async () => {
    const here = await started();
    for (let n = 0; n < 250; n++) here.client.watch(`price:${String(n).padStart(6, '0')}`, () => undefined);
    await here.pass(5_000);
    const subscribes = sentOf(here, 'subscribe');
    expect(subscribes.map(({ topics }) => (topics as string[]).length)).toEqual([100, 100, 50]);
    expect(Math.max(...subscribes.map((message) => JSON.stringify(message).length))).toBeLessThan(32_768);
  });

  test('quick changes, and replies in any order: the last wish wins (32)', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { random } = makeLevers(seed);
      const here = await started({}, seed);
      here.topic('log');
      here.delayMs = () => Math.floor(random() * 500);
      let got: unknown[] = [];
      let handle: Handle | null = null;
      for (let step = 0; step < 12; step++) {
        if (handle) handle.close();
        got = [];
        handle = random() < 0.6 ? here.client.follow('log', ({ n }) => void got.push(n)) : null;
        await here.pass(Math.floor(random() * 400));
      }
      await here.pass(5_000);
      expect(here.socket.subscribed.has('log'), `seed ${seed}`).toBe(handle !== null);
      publish(here, 1);
      await here.pass(1_000);
      expect(got.at(-1), `seed ${seed}`).toBe(handle ? 1 : undefined);
    }
  });

  test('a reply that is lost is asked for again; a server that never answers is left (16)', async () => {
    const here = await started();
    here.topic('log');
    let lose = 1;
    here.intercept = (_, { type }) => type === 'subscribe' && lose-- > 0;
    const handle = here.client.follow('log', () => undefined);
    await here.pass(16_000);
    expect(handle.status).toBe('live');
    lose = 1_000;
    here.client.follow('other', () => undefined);
    await here.pass(130_000);
    expect(here.sockets.length).toBeGreaterThan(1);
  });

  test('a topic that may not be had is denied, and the others go on', async () => {
    const here = await started();
    here.topic('log');
    here.intercept = (socket, { topics }) => {
      if (!(topics as string[] | undefined)?.includes('secret')) return false;
      socket.say({ type: 'error', data: { error_code: 'PERMISSION_DENIED', error_message: 'not yours', details: { topics: ['secret'] } } });
      return true;
    };
    const secret = here.client.follow('secret', () => undefined);
    await here.pass(500);
    const log = here.client.follow('log', () => undefined);
    await here.pass(1_000);
    expect([secret.status, log.status, here.client.status]).toEqual(['denied', 'live', 'live']);
    expect(here.errors).toMatchObject([{ code: 'PERMISSION_DENIED', fatal: true, topics: ['secret'] }]);
    await here.pass(600_000);
    expect(sentOf(here, 'subscribe').filter(({ topics }) => (topics as string[]).includes('secret'))).toHaveLength(1);
  });

  test('a server that is too busy is asked again', async () => {
    const here = await started();
    here.topic('log');
    let busy = 2;
    here.intercept = (socket, { type }) => {
      if (type !== 'subscribe' || busy-- <= 0) return false;
      socket.say({ type: 'error', data: { error_code: 'RATE_LIMIT_EXCEEDED', error_message: 'busy', details: { topics: ['log'] } } });
      return true;
    };
    const handle = here.client.follow('log', () => undefined);
    await here.pass(10_000);
    expect(handle.status).toBe('live');
    expect(here.errors.map(({ fatal }) => fatal)).toEqual([false, false]);
  });

  test('a subscription that the server ends is denied with its reason', async () => {
    const here = await started();
    here.topic('log');
    const handle = here.client.follow('log', () => undefined);
    await here.pass(1_000);
    here.socket.say({ type: 'unsubscribed', topic: 'log', reason: 'the new token does not permit it' });
    await here.pass(1_000);
    expect(handle.status).toBe('denied');
  });

  test('options that cannot be meant are refused with what to do', () => {
    const { client } = world();
    const follow = (topic: string, options: object) => () => client.follow(topic, () => undefined, options);
    expect(follow('log', { since: 'e-1', last: 5 })).toThrow('without since');
    expect(follow('log', { last: 0 })).toThrow('1 to 1000');
    expect(follow('log', { since: 'nonsense' })).toThrow('expected a position');
    expect(follow('log', { filter: { a: ['b'] } })).toThrow('only for ops');
    client.follow('ops:alert', () => undefined, { filter: { alert_levels: ['critical'] } });
    expect(follow('ops:alert', { filter: { alert_levels: ['info'] } })).toThrow('another one');
    expect(follow('ops:alert', { filter: { alert_levels: ['critical'] } })).not.toThrow();
    expect(() => world({ url: 'push.example' })).toThrow('expected http');
    expect(() => createClient(undefined as unknown as ClientOptions)).toThrow('expected http');
    expect(() => world({ tokens: 't' } as object)).toThrow('tokens: there is no such option');
    expect(follow('log', { form: 'e-1' })).toThrow('form: there is no such option');
  });

  test('a signal ends a subscription', async () => {
    const here = await started();
    here.topic('log');
    const abort = new AbortController();
    const handle = here.client.follow('log', () => undefined, { signal: abort.signal });
    await here.pass(1_000);
    abort.abort();
    await here.pass(1_000);
    expect([handle.status, here.socket.subscribed.size]).toEqual(['closed', 0]);
    expect(here.client.follow('log', () => undefined, { signal: abort.signal }).status).toBe('closed');
  });
});

describe('requests', () => {
  test('reject when they cannot be sent, are too late, or the connection goes; nothing is sent later (33, 35)', async () => {
    const here = world();
    const ping = () => here.client.request({ type: 'ping', data: { client_time: 'now' } }, { timeout: 2_000 });
    await expect(ping()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    here.client.start();
    await here.pass(1_000);
    expect(sentOf(here, 'ping')).toEqual([]);
    here.intercept = (_, { type }) => type === 'ping';
    const late = expect(ping()).rejects.toMatchObject({ code: 'TIMEOUT' });
    await here.pass(3_000);
    await late;
    const gone = expect(ping()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    here.socket.die();
    await gone;
    await here.pass(5_000);
    const closed = expect(ping()).rejects.toMatchObject({ code: 'NOT_CONNECTED' });
    here.client.close();
    await closed;
    await expect(here.client.request({ type: 'whatever' })).rejects.toMatchObject({ code: 'NO_ANSWER', fatal: true });
  });
});

describe('where WebSockets are blocked', () => {
  const RESERVATIONS = '/topic/reservations/55/100';
  const streamOf = (...messages: object[]): Response =>
    new Response(messages.map((message) => `: keep-alive\nid: x\nevent: y\ndata: ${JSON.stringify(message)}\n\n`).join(''), {
      headers: { 'content-type': 'text/event-stream' },
    });
  const settled = (offset: number) => ({ event: 'RESERVATION_STATUS', seatId: 55, userId: 100, position: `e-${offset}` });

  test('a topic with a stream goes on there, and one without is told; a WebSocket that works again takes over (11, 12)', async () => {
    const here = world();
    here.manner = 'refuse';
    let offset = 0;
    here.http = async (url) => (url.includes('reservations') ? streamOf(settled(++offset)) : new Response('{}', { status: 200 }));
    const got: unknown[] = [];
    here.client.follow(RESERVATIONS, ({ position }) => void got.push(position), { onGap: () => expect.fail() });
    here.client.watch('price:005930', () => undefined);
    here.client.start();
    await here.pass(30_000);
    expect(got.length).toBeGreaterThan(2);
    expect(got).toEqual(got.map((_, index) => `e-${index + 1}`));
    expect([here.client.transport, here.client.status]).toEqual(['sse', 'live']);
    expect(here.errors.map(({ code, topics }) => [code, topics])).toEqual([['NO_STREAM', ['price:005930']]]);
    const { init } = here.requests.findLast(({ url }) => url.includes('reservations')) as World['requests'][number];
    expect(new Headers(init?.headers as Record<string, string>).get('last-event-id')).toBe(`e-${offset - 1}`);

    // it is tried again, ever more seldom
    const tries = here.sockets.length;
    await here.pass(600_000);
    expect(here.sockets.length - tries).toBeGreaterThan(1);
    expect(here.sockets.length - tries).toBeLessThan(12);
    here.manner = 'serve';
    here.http = async () => streamOf();
    here.topic(RESERVATIONS, 'log', 'e').messages.push({ offset: BigInt(offset), body: settled(offset) });
    await here.pass(600_000);
    expect(here.client.transport).toBe('websocket');
    const now = got.length;
    here.publish(RESERVATIONS, settled(0));
    await here.pass(1_000);
    expect(got.slice(now)).toEqual([`e-${offset + 1}`]);
  });

  test.each([
    ['at the third attempt, if none ever worked', 3, false],
    ['at the fourth, if one worked before', 4, true],
  ] as const)('that is believed %s', async (_, attempts, hasWorked) => {
    const here = world();
    here.http = async (url) => (url.includes('reservations') ? streamOf(settled(1)) : new Response('{}', { status: 200 }));
    here.client.follow(RESERVATIONS, () => undefined);
    here.manner = hasWorked ? 'serve' : 'refuse';
    here.client.start();
    await here.pass(hasWorked ? 60_000 : 0);
    here.manner = 'refuse';
    const before = here.sockets.length - (hasWorked ? 0 : 1);
    if (hasWorked) here.sockets.at(-1)?.die(1006);
    for (let ms = 0; here.client.transport !== 'sse' && ms < 120_000; ms += 10) await here.pass(10);
    expect(here.sockets.length - before).toBe(attempts);
  });

  test('a busy server is none: what it cannot serve over HTTP either is no proof', async () => {
    const here = world();
    here.manner = 'refuse';
    let asked = 0;
    // every other question is answered: never two in a row
    here.http = async () => new Response('{}', { status: asked++ % 2 === 0 ? 200 : 503 });
    here.client.follow(RESERVATIONS, () => undefined);
    here.client.start();
    await here.pass(300_000);
    expect(asked).toBeGreaterThan(6);
    expect(here.client.transport).toBeNull();
    expect(here.requests.some(({ url }) => url.includes('reservations'))).toBe(false);
  });

  test('an outage is none: while nothing answers, the WebSocket is tried as before', async () => {
    const here = world();
    here.manner = 'refuse';
    here.client.follow(RESERVATIONS, () => undefined);
    here.client.start();
    await here.pass(120_000);
    expect(here.client.transport).toBeNull();
    const tries = here.sockets.length;
    await here.pass(120_000);
    expect(here.sockets.length - tries).toBeGreaterThan(6);
  });

  test('a proxy that holds streams back is asked for single answers (42)', async () => {
    const here = world({ transports: ['sse'] });
    let offset = 0;
    here.http = (url, init) =>
      url.includes('once=1')
        ? Promise.resolve(
            new Response(JSON.stringify({ messages: [settled(++offset)], position: `e-${offset}` }), {
              headers: { 'content-type': 'application/json' },
            }),
          )
        : new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    const got: unknown[] = [];
    here.client.follow(RESERVATIONS, ({ position }) => void got.push(position));
    here.client.start();
    await here.pass(120_000);
    expect(got.length).toBeGreaterThan(5);
    expect(got).toEqual(got.map((_, index) => `e-${index + 1}`));
  });

  test('a stream that falls silent is opened again (42)', async () => {
    const here = world({ transports: ['sse'] });
    const held: ReadableStreamDefaultController[] = [];
    here.http = async (_, init) =>
      new Response(
        new ReadableStream({
          start(controller) {
            held.push(controller);
            controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(settled(held.length))}\n\n`));
            init?.signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
          },
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      );
    const got: unknown[] = [];
    here.client.follow(RESERVATIONS, ({ position }) => void got.push(position));
    here.client.start();
    await new Promise((done) => setTimeout(done));
    for (let second = 0; second < 60; second++) {
      await here.pass(1_000);
      await new Promise((done) => setTimeout(done));
    }
    expect(got.slice(0, 2)).toEqual(['e-1', 'e-2']);
  });

  test('a stream that is refused is denied; a bad token is final', async () => {
    const here = world({ transports: ['sse'] });
    here.http = async () => new Response(JSON.stringify({ error_code: 'PERMISSION_DENIED', error_message: 'not yours' }), { status: 403 });
    const handle = here.client.follow(RESERVATIONS, () => undefined);
    here.client.start();
    await here.pass(10_000);
    expect(handle.status).toBe('denied');
    expect(here.requests).toHaveLength(1);

    const other = world({ transports: ['sse'], token: 'bad' });
    other.http = async () => new Response('{}', { status: 401 });
    other.client.follow(RESERVATIONS, () => undefined);
    other.client.start();
    await other.pass(10_000);
    expect(other.client.status).toBe('denied');
  });
});

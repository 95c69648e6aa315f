/** How the client library connects, comes back, gives up and changes transports. */
import { describe, expect, test, vi } from 'vitest';
import { type FakeSocket, type World, world } from './world.ts';

/** A client that is connected and follows a log. */
async function connected(options: Parameters<typeof world>[0] = {}, seed = 1): Promise<World & { readonly got: unknown[] }> {
  const here = world(options, seed);
  const got: unknown[] = [];
  here.topic('log');
  here.client.follow('log', ({ n }) => void got.push(n));
  here.client.start();
  await here.pass(1_000);
  expect(here.client.status).toBe('live');
  return Object.assign(here, { got });
}
const publish = (here: World, ...ns: number[]): void => {
  for (const n of ns) here.publish('log', { type: 'x', n });
};
/** Connections opened since then. */
const triesSince = (here: World, began: number): number => here.sockets.length - began;

describe('coming back', () => {
  test('what was missed follows, and the program is told that nothing is missing', async () => {
    const here = world();
    const log = here.topic('log');
    const [got, recovered]: [unknown[], string[]] = [[], []];
    here.client.follow('log', ({ n }) => void got.push(n), { onRecovered: (since) => recovered.push(since), onGap: () => expect.fail() });
    here.client.start();
    await here.pass(1_000);
    publish(here, 1, 2);
    await here.pass(100);
    here.socket.die();
    publish(here, 3, 4);
    await here.pass(5_000);
    publish(here, 5);
    await here.pass(100);
    expect(got).toEqual([1, 2, 3, 4, 5]);
    expect(recovered).toEqual([`${log.epoch}-2`]);
    expect(here.statuses).toEqual(['connecting', 'live', 'waiting', 'connecting', 'recovering', 'live']);
  });

  test('a session without messages resumes where it began (28)', async () => {
    const here = await connected();
    here.socket.die();
    publish(here, 1);
    await here.pass(5_000);
    expect(here.got).toEqual([1]);
  });

  test('it never gives up, whatever the close code (13)', async () => {
    const here = await connected();
    for (const code of [1000, 1005, 1006, 1000, 4000, 1011]) {
      here.socket.die(code);
      await here.pass(21_000);
      expect(here.client.status).toBe('live');
      await here.pass(60_000);
    }
  });

  test('an outage of an hour ends with a connection (13)', async () => {
    const here = await connected();
    here.manner = 'refuse';
    here.socket.die();
    await here.pass(3_600_000);
    here.manner = 'serve';
    await here.pass(21_000);
    expect(here.client.status).toBe('live');
  });

  test.each(['accept and close', 'greet and close'] as const)('to %s does not reset the pauses (10)', async (manner) => {
    const here = await connected();
    here.manner = manner;
    const before = here.sockets.length;
    here.socket.die();
    await here.pass(200_000);
    // at 10 s on the average; without growing pauses it would be hundreds
    expect(triesSince(here, before)).toBeGreaterThan(10);
    expect(triesSince(here, before)).toBeLessThan(40);
  });

  test('a thousand clients spread from the first retry on (15)', async () => {
    const times: number[] = [];
    for (let seed = 1; seed <= 1_000; seed++) {
      const here = world({}, seed);
      here.client.start();
      await here.pass(1_000);
      here.socket.die();
      const began = here.sockets.length;
      let ms = 0;
      while (here.sockets.length === began) {
        await here.pass(100);
        ms += 100;
      }
      times.push(ms);
      here.client.close();
    }
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500);
    const buckets = Array.from({ length: 15 }, (_, index) => times.filter((ms) => Math.floor((ms - 501) / 100) === index).length);
    expect(buckets.reduce((all, one) => all + one)).toBe(1_000);
    for (const bucket of buckets) expect(bucket).toBeLessThan(110);
  });

  test('a handshake that is never answered, and a token that never comes, end by one deadline (16, 22)', async () => {
    const hanging = world();
    hanging.manner = 'black hole';
    hanging.client.start();
    await hanging.pass(90_000);
    expect(hanging.sockets.length).toBeGreaterThanOrEqual(2);

    const tokenless = world({ token: () => new Promise(() => undefined) });
    tokenless.client.start();
    await tokenless.pass(60_000);
    expect(tokenless.sockets).toHaveLength(0);
    expect(tokenless.errors.map(({ code }) => code)).toContain('TOKEN');
    expect(tokenless.client.status).not.toBe('denied');
  });

  test('a constructor that throws is a failure like any other (19)', async () => {
    const here = world();
    here.manner = 'throw';
    here.client.start();
    await here.pass(5_000);
    here.manner = 'serve';
    await here.pass(21_000);
    expect(here.client.status).toBe('live');
  });

  test('a hint to come back is kept: the next link is there before the old one goes (15, 29)', async () => {
    const here = await connected();
    const old = here.socket;
    old.say({ type: 'reconnect', after_ms: 1_000, within_ms: 30_000, data: {} });
    for (let second = 0; second < 40 && here.sockets.length === 1; second++) await here.pass(1_000);
    await here.pass(1_000);
    expect(here.sockets).toHaveLength(2);
    expect([here.client.status, here.open.length]).toEqual(['live', 1]);
    expect(here.statuses).toEqual(['connecting', 'live']);
  });
});

describe('the two-hour wall', () => {
  test('no message is missed or doubled, and there is always an open socket (29)', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const here = await connected({}, seed);
      here.delayMs = () => 1 + Math.floor((here.sockets.length * 7919 * seed) % 400);
      // the platform's own wall
      const born = new Map<FakeSocket, number>();
      let n = 0;
      let lived = 0;
      for (let minute = 0; minute < 360; minute++) {
        for (const socket of here.sockets) if (!born.has(socket)) born.set(socket, minute);
        for (const [socket, since] of born) if (socket.readyState === 1 && minute - since >= 120) expect.fail('the wall was reached');
        publish(here, ++n);
        await here.pass(59_000);
        publish(here, ++n);
        await here.pass(1_000);
        expect(here.open.length).toBeGreaterThanOrEqual(1);
        lived = Math.max(lived, here.sockets.length);
      }
      expect(here.got).toEqual(Array.from({ length: n }, (_, index) => index + 1));
      expect(lived).toBeGreaterThanOrEqual(4);
      expect(here.statuses).toEqual(['connecting', 'live']);
      here.client.close();
      await here.pass(31_000);
      expect(here.timers).toBe(0);
    }
  });

  test('clients change at moments of their own, between 96 and 114 minutes (15)', async () => {
    const minutes: number[] = [];
    for (let seed = 1; seed <= 60; seed++) {
      const here = await connected({}, seed);
      let minute = 0;
      while (here.sockets.length === 1) {
        // the server's ping, so that the link is not taken for dead
        if (minute % 4 === 0) here.socket.say({ type: 'ping', data: {} });
        await here.pass(60_000);
        minute++;
      }
      minutes.push(minute);
      here.client.close();
    }
    expect(Math.min(...minutes)).toBeGreaterThanOrEqual(96);
    expect(Math.max(...minutes)).toBeLessThanOrEqual(114);
    expect(new Set(minutes).size).toBeGreaterThan(12);
  });
});

describe('liveness', () => {
  test('silence is asked about first; an answer keeps the link, none replaces it (1, 3)', async () => {
    const here = await connected();
    await here.pass(361_000);
    expect(here.socket.sent.at(-1)).toMatchObject({ type: 'ping' });
    await here.pass(60_000);
    expect(here.sockets).toHaveLength(1);

    here.socket.cut();
    publish(here, 1);
    await here.pass(400_000);
    expect(here.sockets.length).toBeGreaterThan(1);
    expect(here.got).toEqual([1]);
  });

  test('the server’s pings are answered, and count as life: nothing else is sent', async () => {
    const here = await connected();
    const before = here.socket.sent.length;
    for (let time = 0; time < 10; time++) {
      here.socket.say({ type: 'ping', data: {} });
      await here.pass(240_000);
    }
    expect(here.socket.sent.slice(before)).toEqual(Array.from({ length: 10 }, () => ({ type: 'pong' })));
  });

  test('a hidden page, whose timers run once a minute, keeps its link (1)', async () => {
    const here = await connected();
    here.hidden = true;
    for (let minute = 0; minute < 30; minute++) {
      // everything of this minute happens at its end
      await here.sleep(60_000, () => minute % 4 === 0 && here.socket.say({ type: 'ping', data: {} }));
      publish(here, minute);
    }
    await here.pass(100);
    expect(here.sockets).toHaveLength(1);
    expect(here.got).toHaveLength(30);
  });

  test('after sleep a link that says it is open and is dead is replaced within seconds (3)', async () => {
    const here = await connected();
    await here.sleep(3_600_000, () => here.socket.cut());
    publish(here, 1);
    await here.pass(15_000);
    expect(here.client.status).toBe('live');
    expect(here.got).toEqual([1]);
  });

  test('on becoming visible or online the link is asked at once (3, 9)', async () => {
    const here = await connected();
    here.socket.cut();
    publish(here, 1);
    await here.page('woken');
    await here.pass(10_000);
    expect(here.got).toEqual([1]);
  });

  test('a healthy link survives sleep: frames that waited are served first (2)', async () => {
    const here = await connected();
    await here.sleep(3_600_000, () => here.socket.say({ type: 'ping', data: {} }));
    await here.pass(30_000);
    expect(here.sockets).toHaveLength(1);
  });

  test('a clock that is set ends no link (6)', async () => {
    const here = await connected();
    for (const byMs of [7_200_000, -7_200_000, 3 * 365 * 86_400_000]) {
      here.setWall(byMs);
      await here.pass(60_000);
    }
    expect(here.sockets).toHaveLength(1);
  });

  test('the question of an old link does not end its successor (4)', async () => {
    const here = await connected();
    here.socket.cut();
    await here.page('woken');
    here.socket.die();
    await here.pass(3_000);
    expect(here.sockets).toHaveLength(2);
    await here.pass(60_000);
    expect(here.sockets).toHaveLength(2);
  });

  test('what an old socket still says is ignored (18)', async () => {
    const here = await connected();
    const old = here.sockets[0] as FakeSocket;
    const { onmessage, onclose } = old;
    old.die();
    await here.pass(5_000);
    onmessage?.({ data: JSON.stringify({ type: 'x', n: 99, position: 'e0x0-99' }) } as never);
    onclose?.({ code: 1006 } as never);
    await here.pass(60_000);
    expect([here.got, here.sockets.length, here.open.length]).toEqual([[], 2, 1]);
  });

  test('a page that is kept for "back" holds no connection, and goes on with its positions (7)', async () => {
    const here = await connected();
    await here.page('suspended');
    expect(here.open).toHaveLength(0);
    publish(here, 1);
    await here.pass(600_000);
    expect(here.sockets).toHaveLength(1);
    await here.page('resumed');
    await here.pass(1_000);
    expect(here.got).toEqual([1]);
  });
});

describe('close', () => {
  test('is at once and final: no focus, retry or late token undoes it (8)', async () => {
    let give = (_: string): void => undefined;
    const here = world({ token: () => new Promise<string>((resolve) => (give = resolve)) });
    here.client.start();
    here.client.close();
    expect(here.client.status).toBe('closed');
    give('late');
    for (const event of ['woken', 'resumed'] as const) await here.page(event);
    await here.pass(600_000);
    expect([here.sockets.length, here.timers]).toEqual([0, 0]);

    const waiting = await connected();
    waiting.manner = 'refuse';
    waiting.socket.die();
    await waiting.pass(100);
    waiting.client.close();
    await waiting.page('woken');
    await waiting.pass(600_000);
    expect(waiting.open).toHaveLength(0);
    expect(waiting.timers).toBe(0);
  });

  test('start after it goes on with the same subscriptions', async () => {
    const here = await connected();
    here.client.close();
    publish(here, 1);
    await here.pass(60_000);
    here.client.start();
    await here.pass(1_000);
    expect(here.got).toEqual([1]);
  });

  test('a hundred reconnects leave nothing behind (36)', async () => {
    const here = await connected();
    await here.pass(20_000);
    const before = here.timers;
    for (let time = 0; time < 100; time++) {
      here.socket.die();
      await here.pass(30_000);
    }
    await here.pass(90_000);
    expect(here.timers).toBeLessThanOrEqual(before + 1);
    expect(here.open).toHaveLength(1);
  });
});

describe('tokens', () => {
  test('a fresh one is asked for at each attempt, and never stands in the address (20, 24)', async () => {
    let serial = 0;
    const here = await connected({ token: async () => `canary-${++serial}` });
    here.socket.die();
    await here.pass(5_000);
    expect(here.sockets.map(({ protocols }) => protocols)).toEqual([
      ['push.json.v1', 'bearer.canary-1'],
      ['push.json.v1', 'bearer.canary-2'],
    ]);
    expect(here.sockets.map(({ url }) => url).join()).not.toContain('canary');
  });

  test('a ticket stands in the address instead, once', async () => {
    let serial = 0;
    const here = await connected({ token: () => ({ ticket: `t${++serial}` }) });
    here.socket.die();
    await here.pass(5_000);
    expect(here.sockets.map(({ url }) => url)).toEqual(['wss://push.example/ws?ticket=t1', 'wss://push.example/ws?ticket=t2']);
  });

  test('it is renewed by the lifetime that the server names, whatever the clocks say (23)', async () => {
    const asked = vi.fn(async () => 'again');
    const here = world({ token: asked });
    here.setWall(-7_200_000);
    here.client.start();
    await here.pass(50);
    here.socket.say({ type: 'connected', expires_in: 600, data: {} });
    await here.pass(1_000);
    await here.pass(0.6 * 600_000);
    expect(asked).toHaveBeenCalledTimes(1);
    await here.pass(0.35 * 600_000);
    expect(here.socket.sent).toContainEqual({ type: 'refresh', token: 'again' });
    expect(here.sockets).toHaveLength(1);
  });

  test('concurrent wishes ask once; an answer after close opens nothing (21)', async () => {
    const asked = vi.fn(async () => 'token');
    const here = world({ token: asked });
    here.client.start();
    here.client.close();
    here.client.start();
    await here.pass(1_000);
    expect(here.open).toHaveLength(1);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  test('a refused token is replaced once; if that is refused too it is final, and told (22)', async () => {
    const refusals: boolean[] = [];
    const here = world({
      token: ({ refused }) => {
        refusals.push(refused);
        return 'bad';
      },
    });
    here.manner = 'refuse';
    here.http = async () => new Response('{}', { status: 401 });
    here.client.start();
    await here.pass(60_000);
    expect(here.client.status).toBe('denied');
    expect(here.errors.at(-1)).toMatchObject({ code: 'AUTHENTICATION_REQUIRED', fatal: true });
    expect(refusals).toEqual([false, true]);
    const tries = here.sockets.length;
    await here.pass(3_600_000);
    expect(here.sockets).toHaveLength(tries);

    here.manner = 'serve';
    here.client.start();
    await here.pass(1_000);
    expect(here.client.status).toBe('live');
  });

  test('a token that runs out in spite of all is told by the server: the next attempt has a new one', async () => {
    let serial = 0;
    const here = await connected({ token: () => `t${++serial}` });
    here.socket.say({ type: 'error', data: { error_code: 'AUTHENTICATION_REQUIRED', error_message: 'expired', details: {} } });
    await here.pass(10);
    here.socket.die(1000);
    publish(here, 1);
    await here.pass(5_000);
    expect([here.client.status, here.got, here.socket.protocols[1]]).toEqual(['live', [1], 'bearer.t2']);
  });
});

describe('limits', () => {
  test('a client with too many connections waits a minute, and tells', async () => {
    const here = await connected({ info: { client_id: 'me' } });
    expect(here.socket.sent[0]).toEqual({ type: 'client_info', data: { client_id: 'me', features: ['explicit', 'batch'] } });
    here.intercept = (socket, { type }) => {
      if (type !== 'client_info') return false;
      socket.say({ type: 'error', data: { error_code: 'TOO_MANY_CONNECTIONS', error_message: 'five', details: {} } });
      return true;
    };
    here.socket.die();
    await here.pass(50_000);
    expect([here.sockets.length, here.client.status]).toEqual([2, 'waiting']);
    expect(here.errors.at(-1)).toMatchObject({ code: 'TOO_MANY_CONNECTIONS' });
    here.intercept = () => false;
    await here.pass(90_000);
    expect(here.client.status).toBe('live');
  });

  test('a message that is too long is refused here, by its bytes, and not sent again (14)', async () => {
    const here = await connected();
    const message = '가'.repeat(11_000);
    await expect(here.client.request({ type: 'send_webhook', data: { message } })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      fatal: true,
    });
    await here.pass(60_000);
    expect(JSON.stringify(here.socket.sent)).not.toContain('가');
    expect(here.sockets).toHaveLength(1);
  });
});

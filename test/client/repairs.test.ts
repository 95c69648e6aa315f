/** Faults that the client library once had, each as it was found. */
import { expect, test } from 'vitest';
import { type World, world } from './world.ts';

async function started(options: Parameters<typeof world>[0] = {}): Promise<World> {
  const here = world(options);
  here.client.start();
  await here.pass(1_000);
  return here;
}
const publish = (here: World, ...ns: number[]): void => {
  for (const n of ns) here.publish('log', { type: 'x', n });
};
/** A message of the log that the server has, and that is lost on its way. */
const lose = (here: World, offset: number): void =>
  void here.topics.get('log')?.messages.push({ offset: BigInt(offset), body: { type: 'x', n: offset } });

test('a hole that more messages follow at once is still repaired', async () => {
  const here = await started();
  here.topic('log', 'log', 'e');
  const got: unknown[] = [];
  here.client.follow('log', ({ n }) => void got.push(n), { onGap: () => expect.fail() });
  await here.pass(1_000);
  publish(here, 1);
  lose(here, 2);
  publish(here, 3, 4, 5);
  await here.pass(1_000);
  expect(got).toEqual([1, 2, 3, 4, 5]);
});

test('what is left after a gap comes although the socket dies before the first of it', async () => {
  const here = await started();
  here.topic('log', 'log', 'new');
  publish(here, 1, 2, 3);
  const got: unknown[] = [];
  const gaps: unknown[] = [];
  here.intercept = (socket, { type }) => {
    if (type !== 'subscribe') return false;
    socket.say({ type: 'subscribed', topic: 'log', position: 'new-3', from: 'new-0', recovered: false });
    here.intercept = () => false;
    return true;
  };
  here.client.follow('log', ({ n }) => void got.push(n), { since: 'old-9', onGap: (gap) => gaps.push(gap) });
  await here.pass(20);
  here.socket.die();
  await here.pass(5_000);
  expect([got, gaps]).toEqual([[1, 2, 3], [{ since: 'old-9', from: 'new-0' }]]);
});

test('the position of a loop is that of the message that its body has', async () => {
  const here = await started();
  here.topic('log', 'log', 'e');
  const loop = here.client.follow('log');
  await here.pass(1_000);
  publish(here, 1, 2, 3);
  await here.pass(1_000);
  expect(loop.position).toBeNull();
  await loop.next();
  expect(loop.position).toBe('e-1');
  await loop.next();
  expect(loop.position).toBe('e-2');
});

test('a follower that asked for nothing gets none of the few that another asked for', async () => {
  const here = world();
  here.topic('log');
  publish(here, 1, 2, 3, 4, 5);
  const [few, none]: [unknown[], unknown[]] = [[], []];
  here.client.follow('log', ({ n }) => void few.push(n), { last: 3 });
  here.client.follow('log', ({ n }) => void none.push(n));
  here.client.start();
  await here.pass(1_000);
  publish(here, 6);
  await here.pass(1_000);
  expect([few, none]).toEqual([[3, 4, 5, 6], [6]]);
});

test('a log that is watched hands over its newest, and keeps nothing from becoming live', async () => {
  const here = world();
  here.topic('log');
  publish(here, 1, 2);
  const got: unknown[] = [];
  here.client.watch('log', ({ n }) => void got.push(n));
  here.topic('empty');
  here.client.watch('empty', () => undefined);
  here.client.start();
  await here.pass(1_000);
  expect([got, here.client.status]).toEqual([[2], 'live']);
});

test('a first subscription with a position is no recovery, and a slow handler is none either', async () => {
  const here = await started();
  here.topic('log', 'log', 'e');
  publish(here, 1, 2, 3);
  const recovered: string[] = [];
  const waiting: (() => void)[] = [];
  here.client.follow('log', () => new Promise<void>((done) => waiting.push(done)), {
    since: 'e-1',
    limit: 1,
    onRecovered: (since) => recovered.push(since),
  });
  for (let time = 0; time < 5; time++) {
    await here.pass(1_000);
    for (const done of waiting.splice(0)) done();
  }
  expect(recovered).toEqual([]);
  here.socket.die();
  await here.pass(5_000);
  expect(recovered).toEqual(['e-3']);
});

test('a token function that failed once is asked again before the token runs out', async () => {
  let asked = 0;
  const here = world({
    token: () => {
      if (++asked === 2) throw new Error('away');
      return `t${asked}`;
    },
  });
  here.client.start();
  await here.pass(50);
  here.socket.say({ type: 'connected', expires_in: 600, data: {} });
  await here.pass(600_000);
  expect(here.errors.map(({ code }) => code)).toEqual(['TOKEN']);
  expect(here.socket.sent).toContainEqual({ type: 'refresh', token: 't3' });
  expect(here.sockets).toHaveLength(1);
});

test('of two requests an error rejects the one that it names', async () => {
  const here = await started();
  here.intercept = (socket, { type, data }) => {
    if (type === 'service_control')
      socket.say({ type: 'error', data: { error_code: 'SERVICE_NOT_FOUND', error_message: 'none', details: { ...(data as object) } } });
    return type === 'service_control';
  };
  const ping = here.client.request({ type: 'ping', data: { client_time: 'now' } });
  const control = here.client.request({ type: 'service_control', data: { service_id: 'a', action: 'start' } });
  const refused = expect(control).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
  await here.pass(1_000);
  await refused;
  expect(await ping).toMatchObject({ type: 'pong' });
});

test('a link is not replaced while a request is waiting for its answer on it', async () => {
  const here = await started();
  let answer: () => void = () => undefined;
  here.intercept = (socket, { type, data }) => {
    if (type === 'ping') answer = () => socket.say({ type: 'pong', data });
    return type === 'ping';
  };
  await here.pass(11_000);
  const ping = here.client.request({ type: 'ping', data: { client_time: 'now' } });
  here.socket.say({ type: 'reconnect', after_ms: 0, within_ms: 0, data: {} });
  await here.pass(10_000);
  expect(here.open).toHaveLength(2);
  answer();
  await here.pass(5_000);
  await ping;
  expect(here.open).toHaveLength(1);
});

test('a client that is denied ends its loops with the reason', async () => {
  const here = world({ token: 'bad' });
  here.manner = 'refuse';
  here.http = async () => new Response('{}', { status: 401 });
  here.client.start();
  const failed = expect(here.client.follow('log').next()).rejects.toMatchObject({ code: 'AUTHENTICATION_REQUIRED' });
  await here.pass(10_000);
  await failed;
  here.client.close();
  expect(here.client.status).toBe('closed');
});

test('close before start is closed, and ends loops', async () => {
  const here = world();
  const loop = here.client.follow('log').next();
  here.client.close();
  await here.pass(10);
  expect([here.client.status, (await loop).done]).toEqual(['closed', true]);
});

test('streams that bring nothing any more are not live, and a failing token function is told', async () => {
  let away = false;
  const here = world({
    transports: ['sse'],
    token: () => {
      if (away) throw new Error('away');
      return 't';
    },
  });
  const position = 'e-4';
  here.http = async () => new Response(JSON.stringify({ messages: [], position }), { headers: { 'content-type': 'application/json' } });
  const handle = here.client.follow('/topic/reservations/55/100', () => undefined, { last: 5 });
  here.client.start();
  await here.pass(30_000);
  expect([here.client.status, handle.status]).toEqual(['live', 'live']);
  // finite answers are asked for as seldom as one would poll
  expect(here.requests.length).toBeLessThan(13);
  away = true;
  await here.pass(120_000);
  expect(here.client.status).not.toBe('live');
  expect(here.errors.at(-1)).toMatchObject({ code: 'TOKEN' });
});

test('the newest few for one follower move no other one forward, with a filter too', async () => {
  for (const filter of [undefined, { alert_levels: ['critical'] }]) {
    const here = world();
    here.topic('ops:alert', 'log', 'e');
    const alert = (n: number) => here.publish('ops:alert', { type: 'alert', broadcast_id: 'a', n });
    for (let n = 1; n <= 20; n++) alert(n);
    const [all, few]: [unknown[], unknown[]] = [[], []];
    const onGap = () => expect.fail('a gap');
    here.client.follow('ops:alert', (message) => void all.push((message as unknown as { n: number }).n), {
      since: 'e-5',
      onGap,
      ...(filter ? { filter } : {}),
    });
    here.client.follow('ops:alert', (message) => void few.push((message as unknown as { n: number }).n), {
      last: 3,
      onGap,
      ...(filter ? { filter } : {}),
    });
    here.client.start();
    await here.pass(1_000);
    alert(21);
    await here.pass(1_000);
    expect(all).toEqual(Array.from({ length: 16 }, (_, index) => 6 + index));
    expect(few).toEqual([18, 19, 20, 21]);
  }
});

test('closing a topic and taking it again in one turn asks the server anew', async () => {
  const here = await started();
  here.topic('log', 'log', 'e');
  here.topic('price:005930', 'state');
  here.publish('price:005930', { type: 'price_update', ticker: '005930', data: { price: 7 } });
  publish(here, 1, 2, 3);
  const first = [here.client.follow('log', () => undefined), here.client.watch('price:005930', () => undefined)];
  await here.pass(1_000);
  for (const handle of first) handle.close();
  const [few, prices]: [unknown[], unknown[]] = [[], []];
  const handle = here.client.follow('log', ({ n }) => void few.push(n), { last: 2 });
  here.client.watch('price:005930', ({ data }) => void prices.push(data.price));
  await here.pass(1_000);
  expect([few, prices, handle.status]).toEqual([[2, 3], [7], 'live']);
  handle.close();
  const plain: unknown[] = [];
  here.client.follow('log', ({ n }) => void plain.push(n));
  await here.pass(1_000);
  here.socket.die();
  publish(here, 4, 5);
  await here.pass(5_000);
  expect(plain).toEqual([4, 5]);
});

test('a handler that closes and watches again is called once for a message', async () => {
  const here = await started();
  here.topic('price:005930', 'state');
  let calls = 0;
  const again = (): void => {
    calls++;
    handle.close();
    if (calls < 100) handle = here.client.watch('price:005930', again);
  };
  let handle = here.client.watch('price:005930', again);
  await here.pass(1_000);
  here.publish('price:005930', { type: 'price_update', ticker: '005930', data: { price: 7 } });
  await here.pass(4);
  await here.pass(2);
  expect(calls).toBeLessThanOrEqual(2);
});

test('a topic that was recreated and is empty still has a position to come back with', async () => {
  const here = await started();
  here.topic('log');
  const got: unknown[] = [];
  here.client.follow('log', ({ n }) => void got.push(n));
  await here.pass(1_000);
  publish(here, 1);
  await here.pass(100);
  here.socket.die();
  here.topic('log');
  await here.pass(5_000);
  here.socket.die();
  publish(here, 2, 3);
  await here.pass(5_000);
  publish(here, 4);
  await here.pass(100);
  expect([got, here.client.status]).toEqual([[1, 2, 3, 4], 'live']);
});

const RESERVATIONS = '/topic/reservations/55/100';

test('a deployment without event streams loses no topic by it', async () => {
  const here = world();
  here.manner = 'refuse';
  here.http = async () => new Response(JSON.stringify({ error_code: 'CHANNEL_DISABLED', error_message: 'off' }), { status: 409 });
  const got: unknown[] = [];
  here.topic(RESERVATIONS);
  const handle = here.client.follow(RESERVATIONS, ({ position }) => void got.push(position));
  here.client.start();
  await here.pass(20_000);
  here.manner = 'serve';
  await here.pass(40_000);
  here.publish(RESERVATIONS, { event: 'RESERVATION_STATUS', seatId: 55, userId: 100 });
  await here.pass(1_000);
  expect([handle.status, got.length]).toEqual(['live', 1]);
  expect(here.errors.map(({ code }) => code)).toEqual(['NO_STREAM']);
});

test('a connection that goes while its replacement is being refused is looked for at once, and not called live', async () => {
  const here = await started();
  await here.pass(11_000);
  here.manner = 'refuse';
  here.socket.say({ type: 'reconnect', after_ms: 0, within_ms: 0, data: {} });
  await here.pass(1_000);
  here.socket.die();
  await here.pass(100);
  expect(here.client.status).toBe('waiting');
  here.manner = 'serve';
  await here.pass(21_000);
  expect(here.client.status).toBe('live');
});

test('a token that runs out in no time is no reason to ask for another a hundred times a second', async () => {
  let asked = 0;
  const here = world({ token: () => `t${++asked}` });
  here.client.start();
  await here.pass(50);
  here.intercept = (socket, { type }) => {
    if (type === 'refresh') socket.say({ type: 'refreshed', expires_in: 0, data: {} });
    return type === 'refresh';
  };
  here.socket.say({ type: 'connected', expires_in: 0, data: {} });
  await here.pass(60_000);
  expect(asked).toBeLessThan(9);
});

test('a topic that the server cannot read is denied in the end, and the others go on', async () => {
  const here = await started();
  here.topic('log');
  here.intercept = (socket, { topics }) => {
    if (!(topics as string[] | undefined)?.includes('bad')) return false;
    socket.say({ type: 'error', data: { error_code: 'INVALID_MESSAGE_FORMAT', error_message: 'bad', details: {} } });
    return true;
  };
  const bad = here.client.follow('bad', () => undefined);
  const log = here.client.follow('log', () => undefined);
  await here.pass(200_000);
  expect([bad.status, log.status, here.sockets.length]).toEqual(['denied', 'live', 1]);
});

test('callbacks that throw are told, and keep nothing from others', async () => {
  const here = await started();
  here.topic('log', 'log', 'new');
  publish(here, 1);
  const gaps: unknown[] = [];
  const fail = () => {
    throw new Error('mine');
  };
  here.client.follow('log', () => undefined, { since: 'old-1', onGap: fail });
  here.client.follow('log', () => undefined, { since: 'old-1', onGap: (gap) => gaps.push(gap) });
  await here.pass(1_000);
  expect([gaps.length, here.errors.map(({ code }) => code)]).toEqual([1, ['HANDLER']]);
});

test('a download that never ends freezes nobody', async () => {
  const here = await started();
  here.topic('log');
  here.http = (_, init) => new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  const got: unknown[] = [];
  here.client.follow('log', (message) => void got.push(message['ref'] ?? message['n']));
  await here.pass(1_000);
  here.publish('log', { type: 'x', data: {}, ref: '/api/messages/1' });
  publish(here, 2);
  await here.pass(30_000);
  expect([got, here.errors.map(({ code }) => code)]).toEqual([['/api/messages/1', 2], ['REFERENCE']]);
});

test('a replacement that got its first topic before its greeting is used', async () => {
  const here = await started();
  await here.pass(11_000);
  here.topic('log');
  here.socket.say({ type: 'reconnect', after_ms: 0, within_ms: 0, data: {} });
  await here.pass(30);
  const handle = here.client.follow('log', () => undefined);
  await here.pass(5_000);
  expect([here.open.length, handle.status]).toEqual([1, 'live']);
});

test('a server that sends every new connection away is not obeyed at once', async () => {
  const here = await started();
  here.intercept = (socket, { type }) => {
    if (type === 'subscribe') socket.say({ type: 'reconnect', after_ms: 0, within_ms: 0, data: {} });
    return false;
  };
  here.topic('log');
  here.client.follow('log', () => undefined);
  await here.pass(60_000);
  expect(here.sockets.length).toBeLessThan(9);
});

test('a page that is looked at again and again finds out that its connection is dead', async () => {
  const here = await started();
  here.socket.cut();
  for (let time = 0; time < 5; time++) {
    await here.page('woken');
    await here.pass(4_000);
  }
  expect(here.sockets.length).toBeGreaterThan(1);
});

test('a topic that is followed during the handshake is asked for as soon as it is over', async () => {
  const here = world();
  here.topic('log', 'log', 'e');
  here.client.start();
  await here.pass(10);
  const got: unknown[] = [];
  here.client.follow('log', ({ n }) => void got.push(n));
  await here.pass(1_000);
  publish(here, 1);
  await here.pass(100);
  expect(got).toEqual([1]);
});

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

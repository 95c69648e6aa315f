/** How many connections one client may have: which of them are refused, and that none is counted after its end. */
import { beforeEach, expect, test } from 'vitest';
import { disconnect } from '../../../core/connections/disconnect.ts';
import { doJob } from '../../../core/delivery/jobs.ts';
import { handleMessage } from '../../../core/sessions/handle-message.ts';
import { type MemoryPorts, memoryPorts, posted, senderOf } from '../../helpers/ports.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});

const opened = async (name: string) => {
  const send = await senderOf(ports, name);
  return { name, announce: (clientId = 'me') => send({ type: 'client_info', data: { client_id: clientId } }) };
};
const answerOf = (name: string): unknown =>
  posted(ports, name).findLast(({ type }) => type === 'connection_status' || type === 'error')?.['type'];
const members = (clientId: string) =>
  ports.clients.enter(`address##${clientId}`, { connectionId: 'reader', connectedAtMs: ports.clock.now() }, ports.clock.now());
const counted = async (clientId: string): Promise<string[]> =>
  (await members(clientId)).map(({ connectionId }) => connectionId).filter((name) => name !== 'reader');

test('connections past the limit are refused, in any order of their announcements', async () => {
  const eight = [];
  for (let index = 0; index < 8; index++) {
    eight.push(await opened(`c${index}`));
    ports.clock.nowMs += 1_000;
  }
  // the youngest first
  for (const one of eight.reverse()) await one.announce();

  expect(eight.map(({ name }) => answerOf(name))).toEqual([...Array(5).fill('connection_status'), ...Array(3).fill('error')]);
  // a client that comes back at once must not come back every few seconds: they stay open, unserved, for a minute
  expect(ports.gateway.closed).toEqual([]);
  expect(ports.jobs.jobs.filter(({ job }) => job.kind === 'close-refused')).toEqual(
    ['c2', 'c1', 'c0'].map((connectionId) => ({ job: { kind: 'close-refused', connectionId }, delaySeconds: 60 })),
  );
  expect(await counted('me')).toHaveLength(5);
});

test('connections that vanished make room at once', async () => {
  for (let index = 0; index < 5; index++) await (await opened(`c${index}`)).announce();
  for (const gone of ['c1', 'c3']) ports.gateway.outcome.set(gone, 'gone');

  for (const name of ['d0', 'd1', 'd2']) await (await opened(name)).announce();

  expect(['d0', 'd1', 'd2'].map(answerOf)).toEqual(['connection_status', 'connection_status', 'error']);
  expect(await ports.connections.read('c1')).toBeNull();
});

test('a connection that announces itself again is counted under its first id', async () => {
  const one = await opened('a');
  await one.announce('me');
  ports.clock.nowMs += 1_000;
  await one.announce('you');

  expect(await counted('me')).toEqual(['a']);
  expect(await counted('you')).toEqual([]);
  expect(answerOf('a')).toBe('connection_status');
});

test('a connection that leaves is no longer counted, even if it leaves while its announcement is served', async () => {
  const one = await opened('a');
  await one.announce();
  await disconnect('a', ports);
  const two = await opened('b');
  const { announce } = ports.announcements;
  ports.announcements.announce = async (...parameters) => {
    await disconnect('b', ports);
    return announce(...parameters);
  };
  await two.announce();

  expect(await counted('me')).toEqual([]);
});

test('two ids announced at once leave neither counted after the connection has ended', async () => {
  const one = await opened('a');
  await Promise.all([one.announce('me'), one.announce('you')]);
  await disconnect('a', ports);

  expect([await counted('me'), await counted('you')]).toEqual([[], []]);
});

test("with identity an announcement does not change its user's count, even if two ids are announced at once", async () => {
  const one = await opened('a');
  const principal = { userId: 'somebody', roles: [] };
  await ports.connections.close('a');
  await ports.connections.open({
    connectionId: 'a',
    clientId: 'client',
    dialect: 'json',
    connectedAtMs: ports.clock.now(),
    expiresAtMs: ports.clock.now() + 7_200_000,
    sourceIp: '',
    principal,
    admitted: true,
  });
  const me = { connectionId: 'a', connectedAtMs: ports.clock.now() };
  await ports.clients.enter('user#somebody', me, ports.clock.now());

  await Promise.all([one.announce('me'), one.announce('you')]);

  const other = { connectionId: 'b', connectedAtMs: ports.clock.now() };
  expect(await ports.clients.enter('user#somebody', other, ports.clock.now())).toHaveLength(2);
});

test('a refused connection gets one error and nothing more, is not counted, and is closed by its job', async () => {
  for (let index = 0; index < 6; index++) await (await opened(`c${index}`)).announce();
  const sixth = ports.gateway.posted.filter(({ connectionId }) => connectionId === 'c5').length;
  const say = (text: object) =>
    handleMessage({ connectionId: 'c5', text: JSON.stringify(text), receivedAtMs: ports.clock.now(), requestId: 'r' }, ports);

  await say({ type: 'subscribe', topic: 'price:005930' });
  await say({ type: 'client_info', data: { client_id: 'me' } });
  await say({ type: 'ping', data: { client_time: '2026-02-06T00:00:00Z' } });
  expect(ports.gateway.posted.filter(({ connectionId }) => connectionId === 'c5')).toHaveLength(sixth);
  expect(await counted('me')).toHaveLength(5);
  await doJob({ kind: 'close-refused', connectionId: 'c5' }, ports);
  await doJob({ kind: 'close-refused', connectionId: 'c1' }, ports);

  expect(ports.gateway.closed).toEqual(['c5']);
  expect(await counted('me')).toHaveLength(5);
});

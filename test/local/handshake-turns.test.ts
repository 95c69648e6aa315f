import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listen } from '../../local/base/listen.ts';
import { type HandshakeTurns, handshakeTurns } from '../../local/resources/handshake-turns.ts';

let waiting = 0;
let began: string[] = [];
let turns: HandshakeTurns;

beforeEach(() => {
  vi.useFakeTimers();
  waiting = 0;
  began = [];
  turns = handshakeTurns(() => waiting);
});
afterEach(() => {
  turns.stop();
  vi.useRealTimers();
});

function handshake(name: string): PassThrough {
  const socket = new PassThrough();
  void turns.next(socket).then((isThere) => began.push(isThere ? name : `${name} has left`));
  return socket;
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('a handshake begins at once while the functions keep up', async () => {
  handshake('a');
  handshake('b');
  await pass(0);
  expect(began).toEqual(['a', 'b']);
});

test('handshakes wait while invocations do, and begin in their order', async () => {
  waiting = 16;
  for (const name of ['a', 'b', 'c']) handshake(name);
  await pass(60_000);
  expect(began).toEqual([]);
  waiting = 14;
  await pass(20);
  expect(began).toEqual(['a', 'b']);
  waiting = 0;
  await pass(20);
  expect(began).toEqual(['a', 'b', 'c']);
});

test('one whose client has left takes no room', async () => {
  waiting = 16;
  const left = handshake('a');
  handshake('b');
  left.destroy();
  waiting = 15;
  await pass(20);
  expect(began).toEqual(['a has left', 'b']);
});

test('a client that only ends its side has left', async () => {
  vi.useRealTimers();
  waiting = 16;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    void turns.next(socket).then((isThere) => began.push(isThere ? 'began' : 'has left'));
    client.end();
  });
  const client = connect(await listen(server, 0, '127.0.0.1'), '127.0.0.1');
  await once(client, 'close');
  waiting = 0;
  await vi.waitFor(() => expect(began).toEqual(['has left']));
  server.close();
});

test('those that wait when the run ends do not begin', async () => {
  waiting = 16;
  handshake('a');
  turns.stop();
  await pass(60_000);
  expect(began).toEqual(['a has left']);
  expect(vi.getTimerCount()).toBe(0);
});

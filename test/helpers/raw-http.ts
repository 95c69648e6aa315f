import { once } from 'node:events';
import { connect } from 'node:net';
import { within } from './within.ts';

/** Sends bytes as they are to a port of this machine, and returns all that comes until the other side closes. */
export async function rawHttp(url: string, bytes: string, leaveAtOnce = false): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  await within(once(socket, 'connect'), 'a connection');
  socket.write(bytes);
  if (leaveAtOnce) socket.resetAndDestroy();
  await within(once(socket, 'close'), 'the end of the connection', () => [answer]);
  return answer;
}

/** A request's head. `close`: its response is the connection's last. */
export const headOf = (method: string, path: string, headers: readonly string[] = [], close = false): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...(close ? ['Connection: close'] : []), ...headers, '', ''].join('\r\n');

export const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

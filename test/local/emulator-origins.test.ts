/** The front door before an emulator: requests reach it as they came, under the API's own host name. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { close, listen } from '../../local/base/listen.ts';
import { httpOrigin, socketOrigin } from '../../local/emulator/origins.ts';
import { type FrontDoor, frontDoor } from '../../local/front-door/door.ts';

let emulator: Server;
let port: number;
let door: FrontDoor;
let closed: FrontDoor;
const seen: { method?: string; url?: string; host?: string; body: string }[] = [];

beforeAll(async () => {
  emulator = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', host: request.headers.host ?? '', body });
      response.writeHead(418, { 'x-of': 'the emulator' }).end('tea');
    });
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false });
  emulator.on('upgrade', (request, socket, head) => {
    seen.push({ url: request.url ?? '', host: request.headers.host ?? '', body: '' });
    if (request.url?.includes('refuse')) socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    else sockets.handleUpgrade(request, socket, head, (peer) => peer.on('message', (data) => peer.send(`${data}!`)));
  });
  port = await listen(emulator, 0, '127.0.0.1');
  door = await doorTo(port);
  closed = await doorTo(1);
});
afterAll(async () => {
  await Promise.all([door.stop(), closed.stop(), close(emulator)]);
});

function doorTo(at: number): Promise<FrontDoor> {
  const origin = (api: string) => ({ endpoint: `http://127.0.0.1:${at}`, host: `${api}.execute-api.localhost`, ca: null });
  const [http, sockets] = [httpOrigin(origin('rest')), socketOrigin(origin('socket'), 'ws', false)];
  return frontDoor(0, null, (path) => ({ origin: path === '/ws' ? sockets : http, behavior: null }));
}

test('a request passes with its method, path, query and body, and its response with status and headers', async () => {
  const response = await fetch(`http://localhost:${door.port}/api/x%2Fy?a=1&a=2`, { method: 'PUT', body: 'milk' });

  expect([response.status, response.headers.get('x-of'), await response.text()]).toEqual([418, 'the emulator', 'tea']);
  expect(seen.at(-1)).toEqual({ method: 'PUT', url: '/api/x%2Fy?a=1&a=2', host: `rest.execute-api.localhost:${port}`, body: 'milk' });
});

test('a socket passes messages both ways, and gets the subprotocol that the emulator does not send', async () => {
  const socket = new WebSocket(`ws://localhost:${door.port}/ws?ticket=t`, ['v11.stomp', 'v12.stomp']);
  await once(socket, 'open');
  socket.send('hello');
  const [answer] = (await once(socket, 'message')) as [Buffer];

  expect([socket.protocol, String(answer)]).toEqual(['v12.stomp', 'hello!']);
  expect(seen.at(-1)).toMatchObject({ url: '/ws?ticket=t', host: `socket.execute-api.localhost:${port}` });
  socket.close();
  await once(socket, 'close');
});

test('a refused handshake keeps its status', async () => {
  const socket = new WebSocket(`ws://localhost:${door.port}/ws?refuse`);
  const [error] = (await once(socket, 'error')) as [Error];

  expect(error.message).toContain('403');
});

test('an emulator that does not answer is a 502, for requests and for handshakes', async () => {
  const response = await fetch(`http://localhost:${closed.port}/api/health`);
  const socket = new WebSocket(`ws://localhost:${closed.port}/ws`);
  const [error] = (await once(socket, 'error')) as [Error];

  expect([response.status, await response.json()]).toEqual([502, { message: 'the emulator does not answer' }]);
  expect(error.message).toContain('502');
});

/** One origin for everything: `/ws`, `/api/*`, `/internal/*` and the page, on loopback only. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { close, listen } from './listen.ts';
import type { LocalHttpApi } from './resources/http-api.ts';
import type { LocalSocketApi } from './resources/socket-api.ts';
import { urlOf } from './url.ts';

const WEB = fileURLToPath(new URL('../web', import.meta.url));

/** A request line may be long: what is too much is for the API to say. */
const MAX_HEADER_BYTES = 256 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface FrontDoor {
  readonly port: number;
  stop(): Promise<void>;
}

export async function frontDoor(port: number, http: LocalHttpApi, sockets: ReadonlyMap<string, LocalSocketApi>): Promise<FrontDoor> {
  const make = (): Server => {
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      if (!http.serve(request, response)) page(request, response).catch(() => response.destroy());
    });
    server.on('upgrade', (request, socket, head) => {
      const path = urlOf(request).pathname;
      const api = sockets.get(path.slice(1));
      if (api) api.upgrade(request, socket, head).catch(() => socket.destroy());
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      else socket.destroy();
    });
    return server;
  };
  const first = make();
  const actual = await listen(first, port, '127.0.0.1');
  const servers = [first];
  // localhost means ::1 to some clients; a machine without IPv6 does without
  const second = make();
  await listen(second, actual, '::1').then(
    () => servers.push(second),
    (error: NodeJS.ErrnoException) => {
      if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EADDRINUSE'].includes(error.code ?? '')) throw error;
    },
  );
  return { port: actual, stop: async () => void (await Promise.all(servers.map(close))) };
}

async function page(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = urlOf(request).pathname;
  const name = path === '/' ? 'index.html' : path.slice(1);
  const type = TYPES[extname(name)];
  const plain = /^[a-z][a-z0-9-]*\.[a-z]+$/.test(name);
  const file =
    type && plain && (request.method === 'GET' || request.method === 'HEAD') ? await readFile(join(WEB, name)).catch(() => null) : null;
  if (file) {
    response
      .writeHead(200, { 'content-type': type, 'cache-control': 'no-cache', 'content-length': file.length })
      .end(request.method === 'HEAD' ? undefined : file);
    return;
  }
  const body = JSON.stringify({ error_code: 'NOT_FOUND', error_message: `there is nothing at ${path.slice(0, 200)}`, details: {} });
  response.writeHead(404, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) }).end(body);
}

/** One origin for everything: `/ws`, `/api/*`, `/internal/*` and the page; on loopback only, unless `HOST` names another address. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { headerPairs } from './base/head.ts';
import { close, endWith, listen } from './base/listen.ts';
import { urlOf } from './base/url.ts';
import { type LocalIssuer, TOKEN_PATH } from './issuer.ts';
import type { LocalFunctionUrl } from './resources/function-url.ts';
import type { LocalHttpApi } from './resources/http-api.ts';
import type { LocalSocketApi } from './resources/socket-api.ts';

/** The page's bundled scripts, then its files as they are. */
const FOLDERS = ['../dist/web', '../web'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** High enough that the API rejects a long request line, and not this server. */
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

/** The origins that requests are passed to. */
export interface Origins {
  readonly http: Pick<LocalHttpApi, 'serve'>;
  readonly sockets: ReadonlyMap<string, Pick<LocalSocketApi, 'upgrade'>>;
  /** Serves the event streams; `null` if the HTTP API does, or nothing. */
  readonly streams: LocalFunctionUrl | null;
  /** Paths of the event streams. */
  readonly streamPaths: readonly string[];
  /** Mints tokens; `null` if the deployment does not accept its tokens. */
  readonly issuer: Pick<LocalIssuer, 'serve'> | null;
}

/** @param host `null` = this machine only */
export async function frontDoor(port: number, host: string | null, origins: Origins): Promise<FrontDoor> {
  const { sockets } = origins;
  const upgraded = new Set<Duplex>();
  const make = (): Server => {
    /** The response to the newest request of each connection. */
    const newest = new WeakMap<Duplex, ServerResponse>();
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      newest.set(request.socket, response);
      serve(request, response, origins).catch(() => response.destroy());
    });
    server.on('upgrade', (request, socket, head) => {
      // an offer of another protocol (Java offers h2c with every first request) is no reason not to serve the request
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        const goOn = (): void => serveWithoutUpgrade(request, socket, head, server);
        const before = newest.get(socket);
        // responses come in the order of their requests
        if (before && !before.writableFinished) before.once('close', goOn);
        else goOn();
        return;
      }
      // an upgrade removes the server's own listener, and without one a reset would end the process
      socket.on('error', () => socket.destroy());
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      const api = sockets.get(urlOf(request).pathname.slice(1));
      if (api) api.upgrade(request, socket, head).catch(() => socket.destroy());
      else endWith(socket, 404, notFound(urlOf(request).pathname));
    });
    server.on('connect', (_, socket) => endWith(socket, 405, errorBody('METHOD_NOT_ALLOWED', 'this is no proxy')));
    server.on('clientError', (_, socket) => {
      if (socket.writable) endWith(socket, 400, errorBody('INVALID_MESSAGE_FORMAT', 'that is no HTTP request, or its head is too long'));
      else socket.destroy();
    });
    return server;
  };
  const first = make();
  const actual = await listen(first, port, host ?? '127.0.0.1');
  const servers = [first];
  const second = make();
  try {
    // some clients resolve localhost to ::1, and must not reach another program there
    if (host === null) {
      await listen(second, actual, '::1');
      servers.push(second);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // a machine without IPv6 has no ::1
    if (code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') {
      await close(first);
      throw error;
    }
  }
  return {
    port: actual,
    async stop() {
      for (const socket of upgraded) socket.destroy();
      await Promise.all(servers.map(close));
    },
  };
}

/** Gives a request back to the server as it would have come without its `Upgrade`: with its body, and what follows it. */
function serveWithoutUpgrade(
  { method, url, httpVersion, headers, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  server: Server,
): void {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (const [name, value] of headerPairs(rawHeaders))
    if (!/^(upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`);
  if (/\bclose\b/i.test(headers.connection ?? '')) lines.push('Connection: close');
  socket.removeAllListeners();
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

/** Serves the page's files first, then the API. An unknown path gets a 404 in the API's format. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { http, sockets, streams, streamPaths, issuer }: Origins,
): Promise<void> {
  const path = urlOf(request).pathname;
  const name = path === '/' ? 'index.html' : path.slice(1);
  const type = TYPES[extname(name)];
  const plain = /^[a-z][a-z0-9-]*\.[a-z]+$/.test(name);
  const reading = type && plain && (request.method === 'GET' || request.method === 'HEAD');
  const file = reading ? await firstFile(name) : null;
  if (file) {
    response
      .writeHead(200, { 'content-type': type, 'cache-control': 'no-cache', 'content-length': file.length })
      .end(request.method === 'HEAD' ? undefined : file);
    return;
  }
  if (streams && streamPaths.includes(path) && request.method === 'GET') return streams.serve(request, response);
  if (issuer && path === TOKEN_PATH) return issuer.serve(request, response);
  if (sockets.has(name)) {
    const wanted = errorBody('INVALID_MESSAGE_FORMAT', `${path} takes WebSocket handshakes: GET with Upgrade: websocket`);
    return respond(response, 426, wanted, { upgrade: 'websocket', connection: 'upgrade' });
  }
  if (http.serve(request, response)) return;
  respond(response, 404, notFound(path));
}

function respond(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  response
    .writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

async function firstFile(name: string): Promise<Buffer | null> {
  for (const folder of FOLDERS) {
    const file = await readFile(join(folder, name)).catch(() => null);
    if (file) return file;
  }
  return null;
}

const errorBody = (error_code: string, error_message: string): string => JSON.stringify({ error_code, error_message, details: {} });
const notFound = (path: string): string => errorBody('NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`);

/** An address that requests come to; on loopback only, unless `HOST` names another. A router says where each path leads. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { headerPairs } from '../base/head.ts';
import { close, endWith, listen } from '../base/listen.ts';
import { urlOf } from '../base/url.ts';
import type { Behavior } from './distribution.ts';
import { addHeaders, toOrigin } from './to-origin.ts';

/** High enough that the API rejects a long request line, and not this server. */
const MAX_HEADER_BYTES = 256 * 1024;

export interface FrontDoor {
  readonly port: number;
  stop(): Promise<void>;
}

/** What requests are passed to. */
export interface Origin {
  serve(request: IncomingMessage, response: ServerResponse): unknown;
  /** `null` = it takes no WebSocket. */
  readonly upgrade: ((request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>) | null;
}

export interface Route {
  readonly origin: Origin;
  /** How the request is changed on its way; `null` = it stays as it is. */
  readonly behavior: Behavior | null;
}

/** @returns `null` = there is nothing at this path */
export type Router = (path: string) => Route | null;

/** Leads each path to the origin of the first behaviour that matches it. */
export function distributionRouter(behaviors: readonly Behavior[], originOf: (behavior: Behavior) => Origin): Router {
  const routes = behaviors.map((behavior) => ({ behavior, origin: originOf(behavior) }));
  return (path) => routes.find(({ behavior }) => behavior.matches(path)) ?? null;
}

/** @param host `null` = this machine only */
export async function frontDoor(port: number, host: string | null, router: Router): Promise<FrontDoor> {
  const upgraded = new Set<Duplex>();
  const make = (): Server => {
    /** The response to the newest request of each connection. */
    const newest = new WeakMap<Duplex, ServerResponse>();
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      newest.set(request.socket, response);
      serve(request, response, router).catch(() => response.destroy());
    });
    server.on('upgrade', (request, socket, head) => {
      // Node checks that only of requests without an upgrade; an edge answers 400
      if (request.headers.host === undefined) return endWith(socket, 400, errorBody('INVALID_MESSAGE_FORMAT', 'the request has no Host'));
      const path = urlOf(request).pathname;
      const route = router(path);
      // an offer of another protocol (Java offers h2c with every first request) is no reason not to serve the request
      if (request.headers.upgrade?.toLowerCase() !== 'websocket' || (route !== null && route.origin.upgrade === null)) {
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
      if (!route?.origin.upgrade) return endWith(socket, 404, notFound(path));
      const answer = route.behavior && toOrigin(request, route.behavior);
      if (answer) return endWith(socket, answer.status, answer.body);
      route.origin.upgrade(request, socket, head).catch(() => socket.destroy());
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

/** Passes a request to its origin. An unknown path gets a 404 in the API's format. */
async function serve(request: IncomingMessage, response: ServerResponse, router: Router): Promise<void> {
  const path = urlOf(request).pathname;
  const route = router(path);
  if (!route) return respond(response, 404, notFound(path));
  if (route.behavior) {
    addHeaders(response, route.behavior);
    const answer = toOrigin(request, route.behavior);
    if (answer) return respond(response, answer.status, answer.body, answer.headers);
  }
  await route.origin.serve(request, response);
}

function respond(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers, 'content-length': Buffer.byteLength(body) })
    .end(body);
}

const errorBody = (error_code: string, error_message: string): string => JSON.stringify({ error_code, error_message, details: {} });
const notFound = (path: string): string => errorBody('NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`);

/**
 * `AWS::ApiGatewayV2::Api` (WEBSOCKET): behaves as the platform does where that matters: the handshake waits for
 * `$connect` and echoes only a subprotocol that it returned; posts before that find nobody; inbound messages are not
 * ordered; binary closes with 1003, a frame over 32 KB or a message over 128 KB with 1009; 10 minutes of silence or
 * 2 hours of life end a connection; `$disconnect` is best effort.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LocalClock } from '../base/clock.ts';
import type { Levers } from '../base/levers.ts';
import { endWith } from '../base/listen.ts';
import { urlOf } from '../base/url.ts';
import { watchFrames } from './frame-limit.ts';
import type { LocalFunction } from './function.ts';

const MAX_FRAME_BYTES = 32 * 1024;
const MAX_MESSAGE_BYTES = 128 * 1024;
const IDLE_MS = 10 * 60_000;
const LIFE_MS = 2 * 3600_000;
/** A consumer that lets so much pile up is answered 429, "the client side buffer is full". */
const MAX_BUFFERED_BYTES = 512 * 1024;

export interface SocketApiOptions {
  readonly apiId: string;
  readonly stage: string;
  readonly routes: { readonly connect: LocalFunction; readonly message: LocalFunction; readonly disconnect: LocalFunction };
  readonly clock: LocalClock;
  readonly levers: Levers;
  readonly warn: (message: string) => void;
}

export interface LocalSocketApi {
  readonly stage: string;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** `POST`, `GET` and `DELETE` of `/{stage}/@connections/{id}`. */
  connections(method: string, connectionId: string, body: Buffer, response: ServerResponse): void;
  count(): number;
  stop(): void;
}

interface Peer {
  readonly id: string;
  readonly connectedAt: number;
  readonly identity: { readonly sourceIp: string; readonly userAgent: string };
  readonly host: string;
  readonly socket: WebSocket;
  lastActiveAt: number;
  /** Requests of one connection are read one after another: no two have the same time. */
  lastRequestAt: number;
  /** Calls off what waits for its end. */
  readonly alarms: { life: () => void; idle: () => void };
}

export function localSocketApi({ apiId, stage, routes, clock, levers, warn }: SocketApiOptions): LocalSocketApi {
  const peers = new Map<string, Peer>();
  let stopped = false;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (_, request) => (request as Negotiated).chosenProtocol ?? false,
  });

  const contextOf = (connectionId: string, connectedAt: number, identity: Peer['identity'], host: string, event: object) => {
    const requestId = randomUUID();
    const now = clock.now();
    return {
      requestId,
      extendedRequestId: requestId,
      requestTime: new Date(now).toISOString(),
      requestTimeEpoch: now,
      messageDirection: 'IN',
      stage,
      connectedAt,
      identity,
      domainName: host,
      connectionId,
      apiId,
      ...event,
    };
  };

  const admit = (peer: Peer): void => {
    peers.set(peer.id, peer);
    const { socket } = peer;
    // without a listener an oversize frame would end the process; its close code goes out by itself
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      peer.lastActiveAt = clock.now();
      // a close is under way, for a frame that was too long perhaps
      if (socket.readyState !== socket.OPEN) return;
      if (isBinary) return socket.close(1003, 'binary frames are not supported');
      void deliver(peer, data.toString('utf8'));
    });
    socket.on('close', (code: number, reason: Buffer) => void leave(peer, code, reason.toString('utf8')));
    watchIdle(peer);
    peer.alarms.life = clock.after(LIFE_MS, () => peers.has(peer.id) && socket.close(1001, 'Going away'));
  };

  const watchIdle = (peer: Peer): void => {
    peer.alarms.idle = clock.after(peer.lastActiveAt + IDLE_MS - clock.now(), () => {
      if (!peers.has(peer.id)) return;
      if (clock.now() - peer.lastActiveAt >= IDLE_MS) peer.socket.close(1001, 'Going away');
      else watchIdle(peer);
    });
  };

  const deliver = async (peer: Peer, body: string): Promise<void> => {
    peer.lastRequestAt = Math.max(clock.now(), peer.lastRequestAt + 1);
    const requestContext = contextOf(peer.id, peer.connectedAt, peer.identity, peer.host, {
      routeKey: '$default',
      eventType: 'MESSAGE',
      messageId: randomBytes(9).toString('base64'),
      requestTimeEpoch: peer.lastRequestAt,
    });
    try {
      await routes.message.invoke({ requestContext, body, isBase64Encoded: false });
    } catch (error) {
      warn(`${routes.message.name}: ${error instanceof Error ? error.message : String(error)}`);
      if (peers.has(peer.id))
        peer.socket.send(JSON.stringify({ message: 'Internal server error', connectionId: peer.id, requestId: requestContext.requestId }));
    }
  };

  const leave = async (peer: Peer, code: number, reason: string): Promise<void> => {
    peers.delete(peer.id);
    peer.alarms.life();
    peer.alarms.idle();
    await tellLeft(peer.id, peer.connectedAt, peer.identity, peer.host, code, reason);
  };

  const tellLeft = async (
    id: string,
    connectedAt: number,
    identity: Peer['identity'],
    host: string,
    code: number,
    reason: string,
  ): Promise<void> => {
    if (stopped || levers.random() < levers.loseDisconnects) return;
    const told = { routeKey: '$disconnect', eventType: 'DISCONNECT', disconnectStatusCode: code, disconnectReason: reason };
    const event = {
      headers: { Host: host, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' },
      requestContext: contextOf(id, connectedAt, identity, host, told),
      isBase64Encoded: false,
    };
    await routes.disconnect.invoke(event).catch((error: Error) => warn(`${routes.disconnect.name}: ${error.message}`));
  };

  return {
    stage,
    count: () => peers.size,
    async upgrade(request: Negotiated, socket, head) {
      if (!isHandshake(request)) return endWith(socket, 400, JSON.stringify({ message: 'Bad Request' }));
      const id = `${randomBytes(11).toString('base64url').slice(0, 15)}=`;
      const connectedAt = clock.now();
      const identity = { sourceIp: request.socket.remoteAddress ?? '', userAgent: request.headers['user-agent'] ?? '' };
      const host = request.headers.host ?? '';
      const url = urlOf(request);
      const query = Object.fromEntries(url.searchParams);
      const event = {
        headers: singleHeaders(request),
        multiValueHeaders: multiHeaders(request),
        ...(url.search.length > 1 ? { queryStringParameters: query, multiValueQueryStringParameters: multiQuery(url) } : {}),
        requestContext: contextOf(id, connectedAt, identity, host, { routeKey: '$connect', eventType: 'CONNECT' }),
        isBase64Encoded: false,
      };
      const answer = await routes.connect.invoke(event).then(
        (result) => result as ConnectAnswer | undefined,
        (error: Error): ConnectAnswer => {
          warn(`${routes.connect.name}: ${error.message}`);
          return { statusCode: 500, body: JSON.stringify({ message: 'Internal server error' }) };
        },
      );
      const status = answer?.statusCode ?? 500;
      // the client left while the handshake waited: the platform tells a connection that it had admitted
      if (socket.destroyed) return status < 300 ? tellLeft(id, connectedAt, identity, host, 1006, '') : undefined;
      if (status < 200 || status > 299) return endWith(socket, status, answer?.body ?? '');
      const protocol = Object.entries(answer?.headers ?? {}).find(([name]) => name.toLowerCase() === 'sec-websocket-protocol');
      request.chosenProtocol = protocol?.[1];
      server.handleUpgrade(request, socket, head, (webSocket) => {
        watchFrames(socket, head, MAX_FRAME_BYTES, () => webSocket.close(1009, 'frame over 32 KB'));
        admit({
          id,
          connectedAt,
          identity,
          host,
          socket: webSocket,
          lastActiveAt: connectedAt,
          lastRequestAt: 0,
          alarms: { life: () => undefined, idle: () => undefined },
        });
      });
    },
    connections(method, connectionId, body, response) {
      const trouble = levers.random();
      if (trouble < levers.throttlePosts) return fail(response, 429, 'LimitExceededException');
      if (trouble > 1 - levers.failPosts) return fail(response, 500, 'InternalServerErrorException');
      const peer = peers.get(connectionId);
      if (!peer || peer.socket.readyState !== peer.socket.OPEN) return fail(response, 410, 'GoneException', '');
      if (method === 'DELETE') {
        peer.socket.close(1000);
        response.writeHead(204).end();
      } else if (method === 'GET') {
        const { connectedAt, lastActiveAt, identity } = peer;
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ connectedAt: new Date(connectedAt), identity, lastActiveAt: new Date(lastActiveAt) }));
      } else if (method !== 'POST') {
        fail(response, 403, 'ForbiddenException');
      } else if (body.length > MAX_MESSAGE_BYTES) {
        fail(response, 413, 'PayloadTooLargeException');
      } else if (peer.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        fail(response, 429, 'LimitExceededException');
      } else {
        peer.lastActiveAt = clock.now();
        peer.socket.send(body, { binary: false });
        response.writeHead(200, { 'content-length': '0' }).end();
      }
    },
    stop() {
      stopped = true;
      for (const { socket } of peers.values()) socket.terminate();
      server.close();
    },
  };
}

interface ConnectAnswer {
  readonly statusCode?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What the platform refuses before it asks anybody. */
const isHandshake = ({ headers }: IncomingMessage): boolean =>
  /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
  headers['sec-websocket-version'] === '13' &&
  /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+(\s*,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*\s*)?$/.test(headers['sec-websocket-protocol'] ?? '');

type Negotiated = IncomingMessage & { chosenProtocol?: string | undefined };

/** Errors as the platform sends them: the type in a header, a 410 without body. */
function fail(response: ServerResponse, status: number, type: string, body = JSON.stringify({ message: type })): void {
  response
    .writeHead(status, { 'x-amzn-ErrorType': type, 'x-amzn-RequestId': randomUUID(), 'content-length': Buffer.byteLength(body) })
    .end(body);
}

/** Header names as the client wrote them. */
const multiHeaders = ({ rawHeaders }: IncomingMessage): Record<string, string[]> => {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    headers[name] = [...(headers[name] ?? []), rawHeaders[index + 1] ?? ''];
  }
  return headers;
};

const singleHeaders = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(multiHeaders(request)).map(([name, values]) => [name, values.at(-1) ?? '']));

const multiQuery = ({ searchParams }: URL): Record<string, string[]> =>
  Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]));

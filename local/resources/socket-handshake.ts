/** The handshake of a WebSocket API: `$connect` decides, and the client gets only a subprotocol that `$connect` returned. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { headerPairs, isHeadTooLong } from '../base/head.ts';
import { endWith } from '../base/listen.ts';
import { urlOf } from '../base/url.ts';
import { watchFrames } from './frame-limit.ts';
import { handshakeTurns } from './handshake-turns.ts';
import { forwardedFor } from './http-api.ts';
import { type Caller, contextOf, MAX_MESSAGE_BYTES, type SocketApiOptions } from './socket-context.ts';
import type { SocketPeers } from './socket-peers.ts';

const MAX_FRAME_BYTES = 32 * 1024;

export interface SocketHandshake {
  /** Makes the client a peer, or answers it with the refusal and closes. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  stop(): void;
}

/** The subprotocol to echo, once `$connect` has returned it. */
type Negotiated = IncomingMessage & { chosenProtocol?: string | undefined };

interface ConnectAnswer {
  readonly statusCode?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export function socketHandshake(options: SocketApiOptions, peers: SocketPeers): SocketHandshake {
  const { routes, clock, warn, measure } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (_, request) => (request as Negotiated).chosenProtocol ?? false,
  });

  const connect = async (request: IncomingMessage, caller: Caller): Promise<ConnectAnswer | undefined> => {
    const event = connectEvent(options, request, caller);
    try {
      return (await routes.connect.invoke(event)) as ConnectAnswer | undefined;
    } catch (error) {
      warn(`${routes.connect.name}: ${(error as Error).message}`);
      measure('IntegrationError', 1);
      return { statusCode: 500, body: JSON.stringify({ message: 'Internal server error' }) };
    }
  };

  const turns = handshakeTurns(() => routes.connect.waiting() + routes.message.waiting());

  return {
    async upgrade(request: Negotiated, socket, head) {
      if (isHeadTooLong(request)) return endWith(socket, 431, JSON.stringify({ message: 'Request Header Fields Too Large' }));
      if (!isHandshake(request)) return endWith(socket, 400, JSON.stringify({ message: 'Bad Request' }));
      if (!(await turns.next(socket))) return;
      const caller: Caller = {
        id: `${randomBytes(11).toString('base64url').slice(0, 15)}=`,
        connectedAt: clock.now(),
        identity: { sourceIp: request.socket.remoteAddress ?? '', userAgent: request.headers['user-agent'] ?? '' },
        host: request.headers.host ?? '',
      };
      measure('ConnectCount', 1);
      const answer = await connect(request, caller);
      const status = answer?.statusCode ?? 500;
      // the client left during the handshake: the platform sends `$disconnect` if `$connect` had admitted it
      if (socket.destroyed) return status >= 200 && status < 300 ? peers.sendDisconnect(caller, 1006, '') : undefined;
      if (status < 200 || status > 299) return endWith(socket, status, answer?.body ?? '');
      const protocol = Object.entries(answer?.headers ?? {}).find(([name]) => name.toLowerCase() === 'sec-websocket-protocol');
      request.chosenProtocol = protocol?.[1];
      server.handleUpgrade(request, socket, head, (webSocket) => {
        watchFrames(socket, head, MAX_FRAME_BYTES, () => webSocket.close(1009, 'frame over 32 KB'));
        peers.admit(caller, webSocket);
      });
    },
    stop() {
      turns.stop();
      server.close();
    },
  };
}

/** False for a request that the platform refuses without calling `$connect`. */
const isHandshake = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' &&
  /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
  headers['sec-websocket-version'] === '13' &&
  /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+(\s*,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*\s*)?$/.test(headers['sec-websocket-protocol'] ?? '');

function connectEvent(options: SocketApiOptions, request: IncomingMessage, caller: Caller) {
  const url = urlOf(request);
  const query = Object.fromEntries(url.searchParams);
  const headers = multiHeaders(request);
  return {
    headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.at(-1) ?? ''])),
    multiValueHeaders: headers,
    ...(url.search.length > 1 ? { queryStringParameters: query, multiValueQueryStringParameters: multiQuery(url) } : {}),
    requestContext: contextOf(options, caller, { routeKey: '$connect', eventType: 'CONNECT' }),
    isBase64Encoded: false,
  };
}

/** Header names keep the client's spelling. */
function multiHeaders(request: IncomingMessage): Record<string, string[]> {
  const { rawHeaders } = request;
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of headerPairs(rawHeaders)) headers[name] = [...(headers[name] ?? []), value];
  const name = Object.keys(headers).find((one) => one.toLowerCase() === 'x-forwarded-for') ?? 'X-Forwarded-For';
  headers[name] = [forwardedFor(request)];
  return headers;
}

const multiQuery = ({ searchParams }: URL): Record<string, string[]> =>
  Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]));

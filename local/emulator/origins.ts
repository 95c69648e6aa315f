/** The front door's origins in an emulator: each request is passed on as it came, to the API's own host name there. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { chooseSubprotocol, offeredProtocols } from '../../core/connections/subprotocol.ts';
import { headerPairs } from '../base/head.ts';
import { endWith } from '../base/listen.ts';
import type { Origin as DoorOrigin } from '../front-door/door.ts';

export interface Origin {
  /** Of the emulator. */
  readonly endpoint: string;
  /** The API's host name, without port. */
  readonly host: string;
  /** Certificates to trust; `null` = the machine's. */
  readonly ca: string | null;
}

/** Sends requests to an origin. Its name need not resolve: the connection goes to the endpoint. */
function sender({ endpoint, host, ca }: Origin): (request: IncomingMessage, path?: string) => ReturnType<typeof httpRequest> {
  const { protocol, hostname, port } = new URL(endpoint);
  const secure = protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...(ca === null ? {} : { ca }) }) : new HttpAgent({ keepAlive: true });
  return ({ method, url, headers }, path = url) => {
    const options: RequestOptions & { servername?: string } = {
      agent,
      method,
      hostname,
      // the certificate is the endpoint's, whatever API is asked for
      ...(secure ? { servername: hostname } : {}),
      port,
      path,
      headers: { ...headers, host: port === '' ? host : `${host}:${port}` },
      setHost: false,
    };
    return (secure ? httpsRequest : httpRequest)(options);
  };
}

const UNREACHABLE = JSON.stringify({ message: 'the emulator does not answer' });

/** An HTTP API. */
export function httpOrigin(origin: Origin): DoorOrigin {
  const send = sender(origin);
  return {
    upgrade: null,
    serve(request, response) {
      const outgoing = send(request);
      outgoing.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('error', () => response.destroy()).pipe(response);
      });
      outgoing.on('error', () => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502, { 'content-type': 'application/json' }).end(UNREACHABLE);
      });
      response.on('close', () => outgoing.destroy());
      request.pipe(outgoing);
    },
  };
}

/** A WebSocket API. @param echoes the emulator sends the subprotocol that `$connect` returned; if not, this does */
export function socketOrigin(origin: Origin, stage: string, echoes: boolean): DoorOrigin {
  const send = sender(origin);
  return {
    ...httpOrigin(origin),
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
      return new Promise((done) => {
        const query = request.url?.includes('?') ? `?${request.url.split('?').slice(1).join('?')}` : '';
        const outgoing = send(request, `/${stage}${query}`);
        outgoing.on('upgrade', (answer, other: Duplex, first: Buffer) => {
          const echo = echoes ? null : chooseSubprotocol(offeredProtocols(request.headers['sec-websocket-protocol'] ?? null)).echo;
          const headers = [...headerPairs(answer.rawHeaders), ...(echo === null ? [] : [['Sec-WebSocket-Protocol', echo] as const])];
          const lines = headers.map(([name, value]) => `${name}: ${value}`);
          socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
          socket.write(first);
          other.write(head);
          socket.pipe(other).pipe(socket);
          for (const [one, two] of [
            [socket, other],
            [other, socket],
          ] as const)
            one.on('error', () => two.destroy()).on('close', () => two.destroy());
          done();
        });
        outgoing.on('response', (answer) => {
          let body = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            body += chunk;
          });
          answer.on('end', () => {
            endWith(socket, answer.statusCode ?? 502, body);
            done();
          });
        });
        outgoing.on('error', () => {
          endWith(socket, 502, UNREACHABLE);
          done();
        });
        outgoing.end();
      });
    },
  };
}

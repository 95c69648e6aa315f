/** `@connections`, the API with which functions reach the peers of a WebSocket API. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { MAX_MESSAGE_BYTES, type SocketApiOptions } from './socket-context.ts';
import type { SocketPeers } from './socket-peers.ts';

/** A peer with more than this unsent is answered with 429, "the client side buffer is full". */
const MAX_BUFFERED_BYTES = 512 * 1024;

/** Serves `POST`, `GET` and `DELETE` of `/{stage}/@connections/{id}`, with the platform's errors. */
export type ServeConnections = (method: string, connectionId: string, body: Buffer, response: ServerResponse) => void;

export function socketConnections({ clock, levers, admit }: SocketApiOptions, peers: SocketPeers): ServeConnections {
  return (method, connectionId, body, response) => {
    const trouble = levers.random();
    if (!admit() || trouble < levers.throttlePosts) return fail(response, 429, 'LimitExceededException');
    if (trouble > 1 - levers.failPosts) return fail(response, 500, 'InternalServerErrorException');
    const peer = peers.findOpen(connectionId);
    if (!peer) return fail(response, 410, 'GoneException', '');
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
  };
}

/** Answers as the platform does: the error's type in a header, and a 410 without body. */
function fail(response: ServerResponse, status: number, type: string, body = JSON.stringify({ message: type })): void {
  response
    .writeHead(status, { 'x-amzn-ErrorType': type, 'x-amzn-RequestId': randomUUID(), 'content-length': Buffer.byteLength(body) })
    .end(body);
}

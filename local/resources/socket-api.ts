/**
 * `AWS::ApiGatewayV2::Api` (WEBSOCKET), with the platform's behaviour that clients can notice:
 * - the handshake waits for `$connect` and echoes only a subprotocol that `$connect` returned; until then, posts answer 410;
 * - inbound messages are not ordered; binary closes with 1003, a frame over 32 KB or a message over 128 KB with 1009;
 * - 10 idle minutes or 2 hours end a connection, and `$disconnect` is best effort.
 */
import { type ServeConnections, socketConnections } from './socket-connections.ts';
import type { SocketApiOptions } from './socket-context.ts';
import { type SocketHandshake, socketHandshake } from './socket-handshake.ts';
import { socketPeers } from './socket-peers.ts';

export interface LocalSocketApi {
  readonly apiId: string;
  readonly stage: string;
  readonly upgrade: SocketHandshake['upgrade'];
  readonly connections: ServeConnections;
  /** Open connections. */
  count(): number;
  stop(): void;
}

export function localSocketApi(options: SocketApiOptions): LocalSocketApi {
  const peers = socketPeers(options);
  const handshake = socketHandshake(options, peers);
  return {
    apiId: options.apiId,
    stage: options.stage,
    upgrade: handshake.upgrade,
    connections: socketConnections(options, peers),
    count: peers.count,
    stop() {
      peers.stop();
      handshake.stop();
    },
  };
}

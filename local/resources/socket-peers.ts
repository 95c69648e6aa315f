/** The open connections of a WebSocket API: how long they live, their inbound messages, and the `$disconnect` event. */
import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { type Caller, contextOf, type SocketApiOptions } from './socket-context.ts';

const IDLE_MS = 10 * 60_000;
const LIFE_MS = 2 * 3600_000;

export interface Peer extends Caller {
  readonly socket: WebSocket;
  /** When a message last went either way, in ms. */
  lastActiveAt: number;
  /** In ms. The platform reads the messages of one connection in turn, so no two have the same time. */
  lastRequestAt: number;
  /** Cancel the timers that close it. */
  readonly timers: { life: () => void; idle: () => void };
}

export interface SocketPeers {
  admit(caller: Caller, socket: WebSocket): void;
  /** `undefined` if the connection is gone, or is closing. */
  findOpen(connectionId: string): Peer | undefined;
  /** Sends the `$disconnect` event. It may be lost. */
  sendDisconnect(caller: Caller, code: number, reason: string): Promise<void>;
  count(): number;
  /** Ends every connection without `$disconnect`. */
  stop(): void;
}

export function socketPeers(options: SocketApiOptions): SocketPeers {
  const { routes, clock, levers, warn, measure } = options;
  const peers = new Map<string, Peer>();
  let stopped = false;

  const watchIdle = (peer: Peer): void => {
    peer.timers.idle = clock.after(peer.lastActiveAt + IDLE_MS - clock.now(), () => {
      if (!peers.has(peer.id)) return;
      if (clock.now() - peer.lastActiveAt >= IDLE_MS) peer.socket.close(1001, 'Going away');
      else watchIdle(peer);
    });
  };

  const receive = async (peer: Peer, body: string): Promise<void> => {
    peer.lastRequestAt = Math.max(clock.now(), peer.lastRequestAt + 1);
    const requestContext = contextOf(options, peer, {
      routeKey: '$default',
      eventType: 'MESSAGE',
      messageId: randomBytes(9).toString('base64'),
      requestTimeEpoch: peer.lastRequestAt,
    });
    measure('MessageCount', 1);
    try {
      await routes.message.invoke({ requestContext, body, isBase64Encoded: false });
    } catch (error) {
      warn(`${routes.message.name}: ${error instanceof Error ? error.message : String(error)}`);
      measure('IntegrationError', 1);
      if (peers.has(peer.id))
        peer.socket.send(JSON.stringify({ message: 'Internal server error', connectionId: peer.id, requestId: requestContext.requestId }));
    }
  };

  const sendDisconnect = async (caller: Caller, code: number, reason: string): Promise<void> => {
    if (stopped || levers.random() < levers.loseDisconnects) return;
    const fields = { routeKey: '$disconnect', eventType: 'DISCONNECT', disconnectStatusCode: code, disconnectReason: reason };
    const event = {
      headers: { Host: caller.host, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' },
      requestContext: contextOf(options, caller, fields),
      isBase64Encoded: false,
    };
    await routes.disconnect.invoke(event).catch((error: Error) => warn(`${routes.disconnect.name}: ${error.message}`));
  };

  const leave = async (peer: Peer, code: number, reason: string): Promise<void> => {
    peers.delete(peer.id);
    peer.timers.life();
    peer.timers.idle();
    await sendDisconnect(peer, code, reason);
  };

  return {
    admit(caller, socket) {
      const timers = { life: () => undefined, idle: () => undefined };
      const peer: Peer = { ...caller, socket, lastActiveAt: caller.connectedAt, lastRequestAt: 0, timers };
      peers.set(peer.id, peer);
      // without a listener, an oversize message would end the process; the library sends the close code itself
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        peer.lastActiveAt = clock.now();
        // already closing, perhaps because a frame was too long
        if (socket.readyState !== socket.OPEN) return;
        if (isBinary) return socket.close(1003, 'binary frames are not supported');
        void receive(peer, data.toString('utf8'));
      });
      socket.on('close', (code: number, reason: Buffer) => void leave(peer, code, reason.toString('utf8')));
      watchIdle(peer);
      peer.timers.life = clock.after(LIFE_MS, () => peers.has(peer.id) && socket.close(1001, 'Going away'));
    },
    findOpen(connectionId) {
      const peer = peers.get(connectionId);
      return peer && peer.socket.readyState === peer.socket.OPEN ? peer : undefined;
    },
    sendDisconnect,
    count: () => peers.size,
    stop() {
      stopped = true;
      for (const { socket } of peers.values()) socket.terminate();
    },
  };
}

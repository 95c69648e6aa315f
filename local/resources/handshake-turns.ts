/**
 * Handshakes wait for their turn while the functions are behind. A laptop serves few at a time: if a thousand clients return
 * together, each that is let in must soon be served, and one that has left meanwhile must cost nothing. Else all would wait
 * too long, give up and begin again, and none would get in. The platform ends a wait after 29 s; here only the client does.
 */
import type { Duplex } from 'node:stream';

/** While so many invocations wait for an environment, no handshake begins. */
const MAX_WAITING = 16;
/** How often that is looked at, in ms. */
const LOOK_MS = 20;

export interface HandshakeTurns {
  /** Resolves when the handshake may begin, in the order of the calls; with false if the client has left, or the run ends. */
  next(socket: Duplex): Promise<boolean>;
  stop(): void;
}

/** `waiting`: number of invocations that wait. */
export function handshakeTurns(waiting: () => number): HandshakeTurns {
  const held: { readonly socket: Duplex; readonly begin: (isThere: boolean) => void }[] = [];
  let timer: NodeJS.Timeout | null = null;
  let isOver = false;

  const look = (): void => {
    timer = null;
    // those that begin now are not waiting yet
    for (let room = MAX_WAITING - waiting(); room > 0 && held.length > 0; ) {
      const { socket, begin } = held.shift() as (typeof held)[number];
      begin(!socket.destroyed);
      if (!socket.destroyed) room--;
    }
    if (held.length > 0) timer = setTimeout(look, LOOK_MS);
  };

  return {
    async next(socket) {
      if (isOver) return false;
      const unwatch = watchEnd(socket);
      const isThere = await new Promise<boolean>((begin) => {
        held.push({ socket, begin });
        if (timer === null) look();
      });
      unwatch();
      return isThere;
    },
    stop() {
      isOver = true;
      if (timer) clearTimeout(timer);
      for (const { begin } of held.splice(0)) begin(false);
    },
  };
}

/** Destroys the socket when the client has ended its side: a server's sockets stay half open, and the end shows only to a reader. */
function watchEnd(socket: Duplex): () => void {
  const look = (): void => {
    // what was sent already is the WebSocket's
    if (socket.readableLength === 0) socket.read();
  };
  const end = (): void => void socket.destroy();
  socket.on('readable', look);
  socket.once('end', end);
  return () => {
    socket.off('readable', look);
    socket.off('end', end);
  };
}

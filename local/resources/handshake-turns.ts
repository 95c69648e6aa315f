/**
 * Handshakes wait for their turn while the functions are behind, as the platform's wait for their integration. A laptop serves
 * few at a time: if a thousand clients return together, each that is let in must soon be served, and one that has left
 * meanwhile must cost nothing. Else all would wait too long, give up and begin again, and none would get in.
 */
import type { Duplex } from 'node:stream';

/** While so many invocations wait for an environment, no handshake begins. */
const MAX_WAITING = 16;
/** How often that is looked at, in ms. */
const LOOK_MS = 20;

export interface HandshakeTurns {
  /** Resolves when the handshake may begin, in the order of the calls; with false if the client has left. */
  next(socket: Duplex): Promise<boolean>;
  stop(): void;
}

/** `waiting`: number of invocations that wait. */
export function handshakeTurns(waiting: () => number): HandshakeTurns {
  const held: { readonly socket: Duplex; readonly begin: (isThere: boolean) => void }[] = [];
  let timer: NodeJS.Timeout | null = null;

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
    next: (socket) =>
      new Promise((begin) => {
        held.push({ socket, begin });
        if (timer === null) look();
      }),
    stop() {
      if (timer) clearTimeout(timer);
      for (const { begin } of held.splice(0)) begin(false);
    },
  };
}

/** One WebSocket, from its handshake to its end. Whatever a WebSocket does after its end is ignored: nothing of it outlives it. */
import type { Env, SocketLike } from './env.ts';
import { ClientError } from './errors.ts';
import type { Wire } from './follower.ts';

/** API Gateway ends a connection that sends a longer frame, and browsers send each message as one. */
const MAX_FRAME_BYTES = 32_768;

/** After so much silence the server is asked for a sign of life. It pings every 240 s, give or take a minute. */
export const SILENCE_MS = 360_000;
/** The answer must come within this; a hidden page's timers run once a minute. */
const PROBE_MS = 10_000;
const HIDDEN_PROBE_MS = 70_000;
/** The same after waking up: the page is looked at, and the WebSocket is probably dead. */
const WAKE_PROBE_MS = 5_000;

/** After an error, `close` comes within this, in ms. */
const CLOSING_MS = 1_000;

export interface SocketEvents {
  opened(): void;
  message(message: Wire): void;
  /** It is over, by whatever side, or its address could not be had. Called once, and not after `close`. */
  ended(): void;
  /** The token cannot be sent: trying again is of no use. */
  unusable(error: ClientError): void;
}

export interface Socket {
  readonly isOver: boolean;
  /** Messages can be sent. */
  readonly isOpen: boolean;
  /** Throws if the socket is not open or the message is too long. */
  send(message: object): void;
  /** Asks for a sign of life; without one the socket ends. */
  probe(woken?: boolean): void;
  /** Ends it at once: what a WebSocket says of its own end may come half a minute later. */
  close(): void;
}

export interface SocketAddress {
  readonly url: string;
  readonly protocols: readonly string[];
}

/**
 * Opens a WebSocket when its address has come. `silenceMs`: after so much silence the server is asked for a sign of life.
 * A constructor that throws, such as under a Content-Security-Policy, is an end like any other.
 */
export function openSocket(address: Promise<SocketAddress>, silenceMs: number, env: Env, events: SocketEvents): Socket {
  let raw: SocketLike | null = null;
  let over = false;
  /** A frame has come: the server is there, and may be asked. */
  let heard = false;
  let heardAt = env.now();
  let cancelSilence = (): void => undefined;
  let cancelProbe: (() => void) | null = null;
  let probeEndsAt = 0;

  const stop = (): boolean => {
    if (over) return false;
    over = true;
    cancelSilence();
    cancelProbe?.();
    try {
      raw?.close();
    } catch {
      // some implementations throw if it never opened; it is gone either way
    }
    return true;
  };
  const end = (): void => {
    if (stop()) events.ended();
  };
  const watchSilence = (ms: number): void => {
    cancelSilence = env.after(ms, () => {
      // after a sleep this timer runs before the frames that are waiting
      cancelSilence = env.after(0, () => {
        const left = heardAt + silenceMs - env.now();
        if (left <= 0) socket.probe();
        watchSilence(left > 0 ? left : silenceMs);
      });
    });
  };
  const socket: Socket = {
    get isOver() {
      return over;
    },
    get isOpen() {
      return !over && raw?.readyState === 1;
    },
    send(message) {
      const text = JSON.stringify(message);
      const bytes = new TextEncoder().encode(text).length;
      if (bytes > MAX_FRAME_BYTES)
        throw new ClientError('PAYLOAD_TOO_LARGE', `${bytes} bytes: a message may have ${MAX_FRAME_BYTES}`, { fatal: true });
      if (!socket.isOpen) throw new ClientError('NOT_CONNECTED', 'not connected: nothing was sent');
      raw?.send(text);
    },
    probe(woken = false) {
      const askedAt = env.now();
      const deadline = woken ? WAKE_PROBE_MS : env.hidden() ? HIDDEN_PROBE_MS : PROBE_MS;
      // a question that is open ends sooner
      if (over || !heard || (cancelProbe && probeEndsAt <= askedAt + deadline)) return;
      cancelProbe?.();
      probeEndsAt = askedAt + deadline;
      cancelProbe = env.after(deadline, () => {
        cancelProbe = env.after(0, () => {
          cancelProbe = null;
          if (heardAt < askedAt) end();
        });
      });
      try {
        socket.send({ type: 'ping', data: { client_time: new Date(env.wall()).toISOString() } });
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        end();
      }
    },
    close: () => void stop(),
  };
  const connect = ({ url, protocols }: SocketAddress): void => {
    if (over) return;
    try {
      if (!env.WebSocket) throw new Error('no WebSocket');
      raw = new env.WebSocket(url, [...protocols]);
    } catch (error) {
      const isToken = (error as { name?: unknown }).name === 'SyntaxError' && protocols.length > 0;
      // handled like a refused handshake
      if (!isToken) return void end();
      stop();
      const text = 'a browser cannot send this token: give a ticket';
      events.unusable(new ClientError('TOKEN', text, { fatal: true, cause: error }));
      return;
    }
    raw.binaryType = 'arraybuffer';
    raw.onopen = () => !over && events.opened();
    raw.onmessage = (event: { readonly data: unknown }) => {
      if (over || typeof event.data !== 'string') return;
      heardAt = env.now();
      // a frame may hold several messages, separated by line feeds
      for (const text of event.data.split('\n')) {
        const message = text === '' ? null : parse(text);
        if (!message) continue;
        heard = true;
        events.message(message);
        if (over) return;
      }
    };
    raw.onclose = end;
    // `close` follows; but not where a Content-Security-Policy forbids the connection. One that is closed while it connects says so, too
    raw.onerror = () => void env.after(CLOSING_MS, () => raw?.readyState === 3 && end());
  };
  watchSilence(silenceMs);
  void address.then(connect, end);
  return socket;
}

/** `null` for what is no JSON object: the platform answers some failures in texts of its own. */
function parse(text: string): Wire | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value) ? (value as Wire | null) : null;
  } catch {
    // JSON.parse throws for nothing but its text
    return null;
  }
}

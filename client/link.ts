/** One WebSocket, from its handshake to its end. Whatever a socket does after its end is ignored: nothing of it outlives it. */
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
/** The same after waking up: the page is looked at, and the socket is probably dead. */
const WAKE_PROBE_MS = 5_000;

/** After an error, `close` comes within this, in ms. */
const CLOSING_MS = 1_000;

export interface LinkEvents {
  opened(): void;
  message(message: Wire): void;
  /** It is over, by whatever side. Called once, and not after `close`. */
  ended(): void;
  /** The token cannot be sent: trying again is of no use. */
  unusable(error: ClientError): void;
}

export interface Link {
  readonly isOver: boolean;
  /** Throws if the link is over or the message is too long. */
  send(message: object): void;
  /** Asks for a sign of life; without one the link ends. */
  probe(woken?: boolean): void;
  /** Ends it at once: what a socket says of its own end may come half a minute later. */
  close(): void;
}

export interface LinkForm {
  readonly url: string;
  readonly protocols: readonly string[];
  /** After so much silence the server is asked for a sign of life, in ms. */
  readonly silenceMs: number;
}

/** Opens a WebSocket. A constructor that throws, such as under a Content-Security-Policy, is an end like any other. */
export function openLink({ url, protocols, silenceMs }: LinkForm, env: Env, events: LinkEvents): Link {
  let socket: SocketLike | null = null;
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
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      // a socket that is closed while it connects says so by an error, which nobody needs
      socket.onerror = () => undefined;
      try {
        socket.close();
      } catch {
        // some implementations throw if it never opened; it is gone either way
      }
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
        if (left <= 0) link.probe();
        watchSilence(left > 0 ? left : silenceMs);
      });
    });
  };
  const link: Link = {
    get isOver() {
      return over;
    },
    send(message) {
      const text = JSON.stringify(message);
      const bytes = new TextEncoder().encode(text).length;
      if (bytes > MAX_FRAME_BYTES)
        throw new ClientError('PAYLOAD_TOO_LARGE', `${bytes} bytes: a message may have ${MAX_FRAME_BYTES}`, { fatal: true });
      if (over || socket?.readyState !== 1) throw new ClientError('NOT_CONNECTED', 'not connected: nothing was sent');
      socket.send(text);
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
        link.send({ type: 'ping', data: { client_time: new Date(env.wall()).toISOString() } });
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        end();
      }
    },
    close: () => void stop(),
  };
  watchSilence(silenceMs);
  try {
    if (!env.WebSocket) throw new Error('no WebSocket');
    socket = new env.WebSocket(url, [...protocols]);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => !over && events.opened();
    socket.onmessage = (event: { readonly data: unknown }) => {
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
    socket.onclose = end;
    // `close` follows; but not where a Content-Security-Policy forbids the connection
    socket.onerror = () => void env.after(CLOSING_MS, () => socket?.readyState === 3 && end());
  } catch (error) {
    const isToken = (error as { name?: unknown }).name === 'SyntaxError' && protocols.length > 0;
    env.after(0, () => {
      if (isToken && stop())
        events.unusable(
          new ClientError('TOKEN', 'a browser cannot send this token: give a ticket', {
            fatal: true,
            cause: error,
          }),
        );
      // otherwise handled like a refused handshake
      else end();
    });
  }
  return link;
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

/** One WebSocket for each address, shared by all who read it, as the operations monitor's React hook has it. It reconnects. */
import { pauseMs } from './backoff.ts';
import type { SocketClass, SocketLike } from './env.ts';
import type { Store } from './stores.ts';

export interface RawSocket {
  /** `null` while it is not open. */
  readonly socket: SocketLike | null;
  readonly isConnected: boolean;
  readonly lastMessage: Readonly<Record<string, unknown>> | null;
}

interface RawSocketStore extends Store<RawSocket> {
  /** Returns whether it was sent. */
  send(message: unknown): boolean;
}

const stores = new Map<string, RawSocketStore>();

const CLOSED: RawSocket = { socket: null, isConnected: false, lastMessage: null };

/** It is opened for its first reader, and closed a macrotask after its last. */
export function rawSocketStore(url: string): RawSocketStore {
  const there = stores.get(url);
  if (there) return there;
  const readers = new Set<() => void>();
  let state = CLOSED;
  let opened: SocketLike | null = null;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const change = (next: RawSocket): void => {
    state = next;
    for (const reader of [...readers]) reader();
  };
  const open = (): void => {
    const socket = new (globalThis as unknown as { WebSocket: SocketClass }).WebSocket(url);
    opened = socket;
    socket.onopen = () => {
      change({ ...state, socket, isConnected: true });
      send({
        type: 'client_info',
        data: { client_id: 'react_dashboard', client_type: 'web_dashboard', timestamp: new Date().toISOString() },
      });
    };
    socket.onmessage = (event: { readonly data: unknown }) => {
      failures = 0;
      const message = JSON.parse(String(event.data)) as Record<string, unknown>;
      if (message['type'] === 'ping') send({ type: 'pong' });
      change({ ...state, lastMessage: message });
    };
    socket.onclose = () => {
      change({ ...state, socket: null, isConnected: false });
      retry = setTimeout(open, pauseMs(++failures, Math.random));
    };
    // `close` follows
    socket.onerror = () => undefined;
  };
  const close = (): void => {
    clearTimeout(retry);
    if (opened) {
      opened.onopen = opened.onmessage = opened.onclose = null;
      opened.close();
    }
    opened = null;
    state = CLOSED;
  };
  const send = (message: unknown): boolean => {
    if (opened?.readyState !== 1) return false;
    opened.send(JSON.stringify(message));
    return true;
  };
  const store: RawSocketStore = {
    snapshot: () => state,
    subscribe(listener) {
      readers.add(listener);
      if (!opened) open();
      return () => {
        readers.delete(listener);
        setTimeout(() => {
          if (readers.size === 0 && opened) close();
        });
      };
    },
    send,
  };
  stores.set(url, store);
  return store;
}

/** The operations monitor's client, as its dashboards know it (`docs/protocol.md`, "Operations"). New programs use `createClient`, which misses nothing. */
import type { SocketClass, SocketLike } from './env.ts';

const now = (): string => new Date().toISOString();

type Message = Readonly<Record<string, unknown>>;

const PING_MS = 30_000;
const KEPT_MESSAGES = 100;
const STATES = ['connecting', 'open', 'closing', 'closed'];

const HANDLERS = {
  status_update: 'handleStatusUpdate',
  service_event: 'handleServiceEvent',
  alert: 'handleAlert',
  pong: 'handlePong',
} as const;

export interface ConnectionStatus {
  readonly url: string;
  /** `connecting`, `open`, `closing` or `closed`. */
  readonly state: string;
  readonly connected: boolean;
  readonly reconnectAttempts: number;
  readonly maxReconnectAttempts: number;
}

export interface HistoryEntry {
  readonly direction: 'in' | 'out';
  /** ISO 8601. */
  readonly at: string;
  readonly message: unknown;
}

/**
 * Connects at once, announces itself on each connection, pings every 30 s, and reconnects every 5 s, at most 10 times in a
 * row. Subclasses override the handlers.
 */
export class WebSocketManager {
  readonly url: string;
  reconnectInterval = 5_000;
  maxReconnectAttempts = 10;
  reconnectAttempts = 0;
  /** Logs what happens to the console. */
  enableDebug = false;
  ws!: SocketLike;
  handleStatusUpdate?(data: unknown): void;
  handleServiceEvent?(data: unknown): void;
  handleAlert?(data: unknown): void;
  handlePong?(data: unknown): void;
  #history: HistoryEntry[] = [];
  #pinger: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string) {
    this.url = url;
    this.connect();
  }

  connect(): void {
    const ws = new (globalThis as unknown as { WebSocket: SocketClass }).WebSocket(this.url);
    this.ws = ws;
    ws.onopen = () => {
      this.reconnectAttempts = 0;
      this.sendClientInfo();
      clearInterval(this.#pinger);
      this.#pinger = setInterval(() => this.send({ type: 'ping', data: { client_time: now() } }), PING_MS);
    };
    ws.onclose = (event: { readonly code?: number }) => {
      clearInterval(this.#pinger);
      if (this.enableDebug) console.log(`${this.url}: closed, code ${event.code}`);
      this.handleReconnect();
    };
    // `close` follows
    ws.onerror = () => undefined;
    ws.onmessage = (event: { readonly data: unknown }) => {
      const message = JSON.parse(String(event.data)) as Message;
      this.#remember('in', message);
      this.handleMessage(message);
    };
  }

  handleReconnect(): void {
    if (this.reconnectAttempts >= this.maxReconnectAttempts) {
      console.error(`${this.url}: no connection; connect() tries again`);
      return;
    }
    this.reconnectAttempts++;
    this.#retry = setTimeout(() => this.connect(), this.reconnectInterval);
  }

  sendClientInfo(): void {
    this.send({
      type: 'client_info',
      data: {
        client_id: 'dashboard_client_1',
        client_type: 'web_dashboard',
        user_agent: (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent,
        timestamp: now(),
      },
    });
  }

  /** Returns whether it was sent: nothing is kept for later. */
  send(message: unknown): boolean {
    if (this.ws.readyState !== 1) {
      console.warn(`${this.url}: not connected`);
      return false;
    }
    this.ws.send(JSON.stringify(message));
    this.#remember('out', message);
    return true;
  }

  /** Calls the handler of the message's type, if the subclass has one. */
  handleMessage({ type, data }: Message): void {
    if (type === 'ping') this.send({ type: 'pong' });
    else this[HANDLERS[type as keyof typeof HANDLERS]]?.(data);
  }

  getConnectionStatus(): ConnectionStatus {
    const { url, reconnectAttempts, maxReconnectAttempts } = this;
    const state = STATES[this.ws.readyState] ?? 'closed';
    return { url, state, connected: state === 'open', reconnectAttempts, maxReconnectAttempts };
  }

  /** The newest 100 messages, both ways, oldest first. */
  getMessageHistory(): readonly HistoryEntry[] {
    return [...this.#history];
  }

  /** Ends the connection for good. */
  close(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#pinger);
    this.ws.onclose = null;
    this.ws.close();
  }

  #remember(direction: HistoryEntry['direction'], message: unknown): void {
    if (this.enableDebug) console.log(`${this.url}: ${direction}`, message);
    this.#history.push({ direction, at: now(), message });
    if (this.#history.length > KEPT_MESSAGES) this.#history.shift();
  }
}

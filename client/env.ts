/** The library's surroundings. Everything can be replaced: `createClient({ env: { WebSocket } })`. */

/** The part of a browser's `WebSocket` that is used. */
export interface SocketLike {
  readonly readyState: number;
  binaryType?: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export type SocketClass = new (url: string, protocols?: string[]) => SocketLike;

/** The lifecycle of a page, as far as connections feel it: seen again or online again; put into the back/forward cache and taken out. */
export type PageEvent = 'woken' | 'offline' | 'suspended' | 'resumed';

export interface Env {
  /** Of a browser, Node 22 and later, Deno, Bun, React Native; on Node 20 the package `ws`. `null` = there is none. */
  readonly WebSocket: SocketClass | null;
  readonly fetch: typeof fetch | null;
  /** Monotonic, in ms. */
  now(): number;
  /** The wall clock, in ms: it goes on while a machine sleeps, and may be set. */
  wall(): number;
  /** Calls back once. Returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** 0 up to 1. */
  random(): number;
  /** True while the page is hidden: its timers run once a minute. */
  hidden(): boolean;
  /** Listens to the page. Returns what ends that. */
  onPage(listener: (event: PageEvent) => void): () => void;
}

/** A timer of more than this fires at once in browsers and Node. */
const LONGEST_TIMER_MS = 2_147_483_647;

interface Globals {
  readonly WebSocket?: SocketClass;
  readonly fetch?: typeof fetch;
  readonly document?: Target & { readonly visibilityState?: string };
  readonly window?: Target;
}

interface PageShow {
  /** The page comes from the back/forward cache, or goes there. */
  readonly persisted?: boolean;
}

interface Target {
  addEventListener?(name: string, listener: (event: PageShow) => void, options: { readonly signal: AbortSignal }): void;
}

/** The environment here. Nothing global is touched before it is called: importing the library works anywhere. */
export function defaultEnv(given: Partial<Env> = {}): Env {
  const here = globalThis as unknown as Globals;
  return {
    WebSocket: here.WebSocket ?? null,
    fetch: here.fetch ? (...request) => (here.fetch as typeof fetch)(...request) : null,
    now: () => performance.now(),
    wall: () => Date.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
      return () => clearTimeout(timer);
    },
    random: Math.random,
    hidden: () => here.document?.visibilityState === 'hidden',
    onPage: (listener) => listenToPage(here, listener),
    ...given,
  };
}

/** No `unload` or `beforeunload`: a page that has one stays out of the back/forward cache. */
function listenToPage({ document, window }: Globals, listener: (event: PageEvent) => void): () => void {
  const abort = new AbortController();
  const on = (target: Target | undefined, name: string, event: PageEvent, counts: (event: PageShow) => unknown = () => true): void =>
    target?.addEventListener?.(name, (shown) => counts(shown) && listener(event), abort);
  const isKept = ({ persisted }: PageShow) => persisted;
  on(document, 'visibilitychange', 'woken', () => document?.visibilityState !== 'hidden');
  on(window, 'pageshow', 'resumed', isKept);
  on(window, 'pagehide', 'suspended', isKept);
  on(window, 'online', 'woken');
  on(window, 'offline', 'offline');
  return () => abort.abort();
}

/** The way out and in: time, posts, jobs, lanes, logs. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** `slow` = not delivered, later perhaps: throttled, or the gateway is in trouble. */
export type PostResult = 'sent' | 'gone' | 'slow';

export interface Gateway {
  /**
   * Retries what is worth it by itself, shortly. Never throws for one peer's sake. `before` is awaited right before
   * every try, when its turn to be sent has come; what it throws ends the post.
   */
  post(connectionId: string, frame: string, before?: () => Promise<void>): Promise<PostResult>;
  close(connectionId: string): Promise<void>;
  /** When anything last went over the connection, in ms; `null` where nobody can say. */
  stateOf(connectionId: string): Promise<{ readonly lastActiveMs: number } | 'gone' | null>;
}

export type Job =
  | { readonly kind: 'drain'; readonly topic: string; readonly shard: number; readonly retell?: true }
  | { readonly kind: 'greet'; readonly connectionId: string; readonly atMs: number }
  /** Ends a STOMP connection that has not said who it is. */
  | { readonly kind: 'expect-connect'; readonly connectionId: string }
  | { readonly kind: 'ping'; readonly connectionIds: readonly string[] }
  /** Tells the newest of some topics again. */
  | { readonly kind: 'keepalive'; readonly topics: readonly string[] };

export interface Jobs {
  put(job: Job, delaySeconds?: number): Promise<void>;
}

/** An accepted event on its way in. `detail` was validated. */
export interface AcceptedEvent {
  readonly id: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly time: string | null;
  readonly acceptedAtMs: number;
  readonly index: number;
}

export interface Lane {
  /** Gives the places, in `events`, of those that were not taken. */
  send(events: readonly AcceptedEvent[]): Promise<number[]>;
}

/** Tells upstreams, over the bus. */
export interface Notices {
  send(detailType: string, detail: object): Promise<void>;
}

export interface Report {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, error: unknown, facts?: Record<string, unknown>): void;
  count(metric: string, value?: number): void;
  time(metric: string, ms: number): void;
}

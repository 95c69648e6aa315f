/** Events on their way in, and what upstreams are sent. */

/** An accepted event. `detail` was validated. */
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
  /** Returns the indexes, in `events`, of those that were not taken. */
  send(events: readonly AcceptedEvent[]): Promise<number[]>;
}

/** Events to upstreams, over the bus. */
export interface Notices {
  send(detailType: string, detail: object): Promise<void>;
}

/** The dead-letter queue of the queue that feeds a function. */
export interface DeadLetters {
  /** Keeps a record that can never be served, with the reason. */
  bury(body: string, reason: string): Promise<void>;
}

export interface PublishKeys {
  /** The source that a key may publish; `*` = every source; `null` = the key is not valid. */
  sourceOf(key: string): Promise<string | null>;
}

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
  /** The holder of a key; `null` = the key is not valid. */
  holderOf(key: string): Promise<KeyHolder | null>;
}

export interface KeyHolder {
  /** The source whose events it may publish; `*` = every source. */
  readonly source: string;
  /** `null` = it is no agent's key. */
  readonly agent: AgentScope | null;
}

/** An agent, and what it may publish. */
export interface AgentScope {
  readonly id: string;
  /** Fields of its events' details that must hold one of these values, where they stand there at all. */
  readonly only: readonly { readonly field: string; readonly values: readonly string[] }[];
}

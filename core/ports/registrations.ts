/** The start of a user's next subscription to a topic, set before the user connects. */
import type { Position } from '../base/position.ts';

export interface Registration {
  readonly position: Position;
  /** A new one each time it is made: using up an earlier one leaves this alone. */
  readonly stamp: string;
}

/** A registration that has not lapsed. */
export interface Registered extends Registration {
  readonly expiresAtMs: number;
}

export interface Registrations {
  /** Stores the position. A registration that has not lapsed keeps its position under the new stamp, and never lapses sooner. */
  register(topic: string, registration: Registration, expiresAtMs: number): Promise<void>;
  find(topic: string): Promise<Registered | null>;
  /** MUST leave one with another stamp alone. */
  useUp(topic: string, stamp: string): Promise<void>;
  remove(topic: string): Promise<void>;
}

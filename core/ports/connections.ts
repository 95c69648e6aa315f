/** The record of a connection. */
import type { Principal } from '../identity.ts';
import type { Dialect, SubscriptionKey } from './audience.ts';

export interface NewConnection {
  readonly connectionId: string;
  readonly clientId: string;
  readonly dialect: Dialect;
  readonly connectedAtMs: number;
  readonly expiresAtMs: number;
  readonly sourceIp: string;
  /** The caller; `null` = not known yet. */
  readonly principal: Principal | null;
  /** STOMP: whether its CONNECT was answered. */
  readonly admitted: boolean;
}

export interface Connection extends NewConnection {
  /** When its last message arrived. */
  readonly touchedAtMs: number;
  /** The client id it announced; `null` = it has not. */
  readonly announced: string | null;
  /** Whether it keeps the subscriptions it gets by default, or chooses its own; `null` = not settled yet. */
  readonly defaults: Defaults | null;
  /** When `connected` was claimed; 0 = not yet. */
  readonly greetedAtMs: number;
  readonly pingedAtMs: number;
  readonly pongedAtMs: number;
  /** When it was refused: it is served no longer, and closed a minute later; 0 = it was not. */
  readonly refusedAtMs: number;
  /** When something was last delivered to it, as far as the sweep had to find out. */
  readonly deliveredAtMs: number;
}

export interface Allowance {
  /** How much there may be at once. */
  readonly most: number;
  readonly perSecond: number;
}

export type Defaults = 'all' | 'chosen';

export interface TouchRequest {
  /** When the gateway took the message. */
  readonly atMs: number;
  readonly nowMs: number;
  readonly pong: boolean;
  /** Number of topics it asks for. */
  readonly subscribes: number;
  /** Its weight in the limit a second: 1, or the number of STOMP frames. */
  readonly weight: number;
  /** At most this many such messages within any second; they are counted apart. `null` = it counts by its weight instead. */
  readonly pace: number | null;
}

export interface Touch {
  readonly connection: Connection;
  /** The connection was not greeted before: the caller of this touch does it. */
  readonly greet: boolean;
  /** Messages in the current second, this one included. */
  readonly inThisSecond: number;
  /** It came faster than its pace allows, and left no trace. */
  readonly tooFast: boolean;
  /** Upper bound of its subscriptions: all topics it ever asked for, this message included. */
  readonly subscribes: number;
}

export interface Connections {
  /** MUST be false, and leave nothing, if `most` are open; 0 = no limit. The first ever also notes its time (`counted`). */
  open(connection: NewConnection, most?: number): Promise<boolean>;
  /** MUST be one update; `null` if there is no such connection. A message that is too fast MUST NOT count against those after it. */
  touch(connectionId: string, touch: TouchRequest): Promise<Touch | null>;
  /** Claims the greeting; `null` if it was claimed before, or the connection is gone. */
  claimGreeting(connectionId: string, atMs: number): Promise<Connection | null>;
  /** Strongly consistent. */
  read(connectionId: string): Promise<Connection | null>;
  /** A STOMP session begins, in this dialect from now on. MUST be false if one has begun already, or the connection is gone. */
  admit(connectionId: string, session: { dialect: Dialect; principal: Principal | null }): Promise<boolean>;
  /**
   * Takes topics out of the connection's allowance, which refills at a steady rate. False if there is not enough left, and
   * then nothing is taken.
   */
  spend(connectionId: string, topics: number, nowMs: number, allowance: Allowance): Promise<boolean>;
  /** The client has a new token. Does nothing if the connection is gone. */
  renew(connectionId: string, principal: Principal): Promise<void>;
  /** It is served no longer. */
  refuse(connectionId: string, atMs: number): Promise<void>;
  /** An exact count replaces the running one. */
  resetSubscribes(connectionId: string, count: number): Promise<void>;
  /** Returns the record if it was there: only that caller counts it as gone. */
  close(connectionId: string): Promise<Connection | null>;
  /** About how many are open, and when this deployment took its first, in ms. */
  counted(): Promise<{ readonly count: number; readonly sinceMs: number | null }>;
  /**
   * Reads the count before a look at all connections. The function returned corrects it by how many that look found, as far as
   * what opened and closed meanwhile does not explain it. `most`: the limit of `open`.
   */
  recount(most?: number): Promise<(found: number) => Promise<void>>;
  pinged(connectionId: string, atMs: number): Promise<void>;
  delivered(connectionId: string, atMs: number): Promise<void>;
  /** All connections and their subscriptions, in segments: the only scan. */
  scan(segment: number, segments: number): AsyncIterable<Swept[]>;
}

export type Swept =
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'subscription'; readonly key: SubscriptionKey; readonly atMs: number };

/** Connections, what they subscribe to, and whose they are. */
import type { Principal } from '../identity.ts';
import type { Dialect, SubscriptionKey } from './audience.ts';

export interface NewConnection {
  readonly connectionId: string;
  readonly clientId: string;
  readonly dialect: Dialect;
  readonly connectedAtMs: number;
  readonly expiresAtMs: number;
  readonly sourceIp: string;
  /** Who it is; `null` = nobody has said. */
  readonly principal: Principal | null;
  /** STOMP: whether its CONNECT was answered. */
  readonly admitted: boolean;
}

export interface Connection extends NewConnection {
  /** When it last spoke. */
  readonly touchedAtMs: number;
  /** The client id it announced; `null` = it has not. */
  readonly announced: string | null;
  /** Which broadcasts it is told: all, as long as it has not chosen; `null` = it did neither announce itself nor choose. */
  readonly broadcasts: Broadcasts | null;
  /** When `connected` was claimed; 0 = not yet. */
  readonly greetedAtMs: number;
  readonly pingedAtMs: number;
  readonly pongedAtMs: number;
  /** When the sweep last found that it was told something. */
  readonly toldAtMs: number;
}

export type Broadcasts = 'all' | 'chosen';

/** What a client says of itself. */
export interface Announcement {
  readonly clientId: string;
  readonly info: Readonly<Record<string, unknown>>;
}

export interface TouchRequest {
  /** When the gateway took the message. */
  readonly atMs: number;
  readonly nowMs: number;
  readonly pong: boolean;
  /** Topics it asks for. */
  readonly subscribes: number;
  /** For how many messages it counts in its second. */
  readonly weight: number;
  /** It counts in a pace of its own instead: no more than so many within a second of each other; `null` = it does not. */
  readonly pace: number | null;
}

export interface Touch {
  readonly connection: Connection;
  /** Nobody greeted it before: the caller of this touch does. */
  readonly greet: boolean;
  /** Messages in the current second, this one included. */
  readonly inThisSecond: number;
  /** It came faster than its pace allows, and left no trace. */
  readonly tooFast: boolean;
  /** Topics it ever asked to subscribe to, this message included: no less than it has. */
  readonly subscribes: number;
}

/** A subscription as its connection knows it. */
export interface OwnSubscription extends SubscriptionKey {
  readonly unasked: boolean;
}

export interface Connections {
  /** Gives the number of connections afterwards. The first notes since when there are any. */
  open(connection: NewConnection): Promise<number>;
  /** MUST be one update; `null` where there is no such connection. One that is too fast MUST NOT count against those after it. */
  touch(connectionId: string, touch: TouchRequest): Promise<Touch | null>;
  /** Claims the greeting; `null` where somebody has, or the connection is gone. */
  claimGreeting(connectionId: string, atMs: number): Promise<Connection | null>;
  /** `unasked`: it came with the announcement, and ends when the client chooses; it MUST NOT replace one that was asked for. */
  addSubscription(connectionId: string, key: SubscriptionKey, atMs: number, expiresAtMs: number, unasked?: boolean): Promise<void>;
  /** Adds it under an id that its client gave. MUST be false where the connection has a subscription with that id (without one: to that topic). */
  claimSubscription(connectionId: string, key: SubscriptionKey, atMs: number, expiresAtMs: number): Promise<boolean>;
  /** MUST leave alone what was asked for later than `askedBy`; with `unasked`, whatever was asked for. */
  removeSubscription(connectionId: string, key: SubscriptionKey, only?: { readonly askedBy: number } | 'unasked'): Promise<void>;
  /** All of them, or those with one id. Strongly consistent. */
  subscriptions(connectionId: string, subscriptionId?: string): Promise<OwnSubscription[]>;
  /** Strongly consistent. */
  read(connectionId: string): Promise<Connection | null>;
  /** A STOMP session begins: from now on it speaks this dialect. False where the connection is gone. */
  admit(connectionId: string, session: { dialect: Dialect; principal: Principal | null }): Promise<boolean>;
  /**
   * Remembers what a client says of itself; and its id, and that it is told all broadcasts or will choose, unless these
   * are settled. Gives what is; `null` = it is gone.
   */
  announce(
    connectionId: string,
    announcement: Announcement,
    broadcasts: Broadcasts,
    expiresAtMs: number,
  ): Promise<{ readonly announced: string; readonly broadcasts: Broadcasts } | null>;
  /** From now on it chooses its broadcasts, unless it is told all of them: then false. */
  chooseUnlessAll(connectionId: string): Promise<boolean>;
  /** From now on it chooses its broadcasts. */
  choose(connectionId: string): Promise<void>;
  /** An exact count replaces the running one. */
  resetSubscribes(connectionId: string, count: number): Promise<void>;
  /** Gives the record where it was there: only that caller counts it as gone. */
  close(connectionId: string): Promise<Connection | null>;
  /** How many are open, about, and when this deployment first took one, in ms. */
  counted(): Promise<{ readonly count: number; readonly sinceMs: number | null }>;
  setCount(count: number): Promise<void>;
  pinged(connectionId: string, atMs: number): Promise<void>;
  told(connectionId: string, atMs: number): Promise<void>;
  /** All connections with what they subscribe to, in segments: the only scan. */
  scan(segment: number, segments: number): AsyncIterable<Swept[]>;
}

/** A connection as one of its client's. */
export interface Membership {
  readonly connectionId: string;
  readonly connectedAtMs: number;
}

/** Which connections a client has. What nobody counted out is forgotten when no connection can live that long. */
export interface Clients {
  /** MUST be one write. Gives all that the client has, this one included. */
  enter(client: string, member: Membership, nowMs: number): Promise<Membership[]>;
  leave(client: string, member: Membership): Promise<void>;
}

export type Swept =
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'subscription'; readonly key: SubscriptionKey; readonly atMs: number };

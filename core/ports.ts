/**
 * What the core asks of the world, in its own words. A normal outcome is a return value; a port throws only where
 * trying again may help. Each port has one suite in `test/ports/`, run against memory and against DynamoDB.
 */
import type { StateCommit } from './channels/channel.ts';
import type { Principal } from './identity.ts';
import type { Position } from './position.ts';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

// --- topics ---------------------------------------------------------------------------------------------------

/** A topic's state item. A topic that nobody wrote to or listened to has none. */
export interface TopicState {
  readonly topic: string;
  readonly epoch: string;
  /** Offset of the newest message; of a log topic a hint that may lag behind. */
  readonly head: number;
  /** State topics: the newest message, in its parts. */
  readonly parts: Readonly<Record<string, object>>;
  /** Compact points of the recent history, oldest first. */
  readonly recent: readonly string[];
  /** Whether somebody may be listening. Unheard topics are not drained. */
  readonly heard: boolean;
  /** Its head when somebody began to listen after nobody had: up to there, nobody who is not late lacks anything. */
  readonly heardFrom: number;
  /** Whether the catalogue knows it. */
  readonly listed: boolean;
  /** When it may be forgotten, in ms, unless it is written to or asked for before; `null` = never. */
  readonly expiresAtMs: number | null;
}

export interface LogMessage {
  readonly offset: number;
  readonly eventId: string;
  /** When it was committed, to the second, in ms. */
  readonly atMs: number;
  readonly value: object;
}

export interface Topics {
  /** MUST be one conditional update. `changed` is false where the part holds the same or a later order. */
  commitState(commit: StateCommit): Promise<{ readonly changed: boolean; readonly state: TopicState }>;
  /** MUST replace the history by `points` only if the item is still as `seen`. */
  thinRecent(seen: TopicState, points: readonly string[]): Promise<void>;
  /** Strongly consistent. Topics without item are left out. */
  read(topics: readonly string[]): Promise<Map<string, TopicState>>;
  /** Says that somebody listens, making the topic at offset 0 if need be. Gives the item as it is afterwards. */
  hear(topic: string): Promise<TopicState>;
  /** Takes that back. */
  unhear(topic: string): Promise<void>;
  /** Nobody was there when it was looked for after that. MUST do nothing where somebody listens again. */
  desert(topic: string): Promise<void>;
  /** Makes the topic at offset 0 if need be. Gives the item as it is afterwards. */
  create(topic: string): Promise<TopicState>;

  /** The base of an event on a log topic: `base` if it is new, else what it was given the first time. */
  eventBase(topic: string, eventId: string, base: number): Promise<number>;
  /** MUST take the offset only if it is free. Taken by the same event counts as put. */
  putLog(topic: string, offset: number, eventId: string, value: object): Promise<'put' | 'taken'>;
  /** Raises the head if it is lower, making the item if need be. Gives it as it is afterwards. */
  raiseHead(topic: string, head: number): Promise<TopicState>;
  /** Messages after an offset, ascending, at most `limit`; expired ones are left out. Strongly consistent. */
  readLog(topic: string, after: number, limit: number): Promise<LogMessage[]>;
}

/** Who tells a topic: a lease on its cursor. */
export interface Turn {
  readonly holder: string;
  readonly untilMs: number;
  /** How often somebody asked for a drain. */
  readonly pokes: number;
  /** Up to which offset the audience was told, in the epoch beside it. */
  readonly cursor: number;
  /** Empty where nothing was told yet. */
  readonly epoch: string;
  /** When the audience was last told, in ms; 0 = never. */
  readonly toldAtMs: number;
  /** State topics: when it may be told next, in ms. */
  readonly nextAtMs: number;
}

export interface Turns {
  /** MUST poke and take the turn if it is free in ONE unconditional update. Gives the item afterwards. */
  poke(topic: string, shard: number, me: string, untilMs: number): Promise<Turn>;
  /** Takes over an expired turn, on condition that it still is `seen`'s; `null` where somebody was faster. */
  takeOver(topic: string, shard: number, seen: Turn, me: string, untilMs: number): Promise<Turn | null>;
  /** Strongly consistent. */
  read(topic: string, shard: number): Promise<Turn | null>;
  /** False where the turn is no longer mine. */
  extend(topic: string, shard: number, me: string, untilMs: number): Promise<boolean>;
  /** Lets go without having told anything: the next may begin at once. */
  abandon(topic: string, shard: number, me: string): Promise<void>;
  /** Saves progress without releasing. False where the turn is no longer mine. */
  save(topic: string, shard: number, me: string, told: Pick<Done, 'cursor' | 'epoch'>, untilMs: number): Promise<boolean>;
  /**
   * Advances the cursor and releases, on condition that the turn is mine and, where `pokes` is given, that nobody
   * poked since. Says which of both failed.
   */
  release(topic: string, shard: number, me: string, done: Done): Promise<'released' | 'poked' | 'lost'>;
}

export interface Done {
  readonly cursor: number;
  readonly epoch: string;
  readonly toldAtMs: number;
  readonly nextAtMs: number;
  readonly pokes: number | null;
}

// --- audience -------------------------------------------------------------------------------------------------

export type Dialect = 'json' | 'stomp-1.0' | 'stomp-1.1' | 'stomp-1.2';

/** The id of a JSON client's subscriptions: it has one a topic. */
export const JSON_SUBSCRIPTION = 'json';

export interface SubscriptionKey {
  readonly topic: string;
  readonly shard: number;
  readonly connectionId: string;
  readonly subscriptionId: string;
}

/** It gets what is newer than `from`; `late` = it lacks something before the cursor. */
export interface Subscription extends SubscriptionKey {
  readonly dialect: Dialect;
  readonly from: number;
  readonly late: boolean;
  /** A throttled consumer is passed over until then, in ms; 0 = not throttled. */
  readonly notBeforeMs: number;
  /** How often in a row it was throttled. */
  readonly strikes: number;
  /** It is told only what passes this list; `null` = everything. */
  readonly filter: readonly string[] | null;
  /** The stamp of the registration it began at, while it was told nothing since: with the first message that is used up. */
  readonly registration: string | null;
}

export interface Found extends Subscription {
  readonly ended: boolean;
}

export interface Audience {
  /** Strongly consistent, in pages; without tombstones and expired ones. */
  pages(topic: string, shard: number): AsyncIterable<Subscription[]>;
  /** MUST lose against a later request, whether that subscribed or ended. `replaced`: a subscription or tombstone stood there. */
  put(subscription: Subscription, requestedAtMs: number, expiresAtMs: number): Promise<'put' | 'replaced' | 'overtaken'>;
  /** Tombstones are found too: a drain may still be telling who has just left. */
  find(keys: readonly SubscriptionKey[]): Promise<(Found | null)[]>;
  /** Leaves a tombstone with the request's time, so that an overtaken subscribe does not come back to life. */
  end(key: SubscriptionKey, requestedAtMs: number, expiresAtMs: number): Promise<'ended' | 'overtaken'>;
  /** It was told all up to `head`. MUST hold only if it is late, still at `seenFrom`, and that is not past `head`. */
  caughtUp(key: SubscriptionKey, seenFrom: number, head: number): Promise<void>;
  /** It lacks what is after `from`. Nothing happens to one that is gone, or lacks more already. */
  markLate(key: SubscriptionKey, from: number): Promise<void>;
  /**
   * It is throttled, and lacks what is after `from`. MUST hold where it is still as `seen`: late there it may have moved on;
   * else it only ever lacks more.
   */
  passOver(seen: Subscription, from: number, throttled: { notBeforeMs: number; strikes: number }): Promise<void>;
  /** Asked for again, from where it stands: a request made earlier no longer ends it. False where it is gone or was overtaken. */
  renew(key: SubscriptionKey, filter: readonly string[] | null, requestedAtMs: number): Promise<boolean>;
  /** A late one was told so far. False where it is no longer late at `seenFrom`. */
  advance(key: SubscriptionKey, seenFrom: number, to: number): Promise<boolean>;
  /** It no longer hangs on its user's registration. */
  forgetRegistration(key: SubscriptionKey): Promise<void>;
  remove(key: SubscriptionKey): Promise<void>;
}

// --- connections ----------------------------------------------------------------------------------------------

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
  /** `unasked`: it came with the announcement, and ends when the client chooses. */
  addSubscription(connectionId: string, key: SubscriptionKey, atMs: number, expiresAtMs: number, unasked?: boolean): Promise<void>;
  /** Adds it under an id that its client gave. MUST be false where the connection has a subscription with that id (without one: to that topic). */
  claimSubscription(connectionId: string, key: SubscriptionKey, atMs: number, expiresAtMs: number): Promise<boolean>;
  removeSubscription(connectionId: string, key: SubscriptionKey): Promise<void>;
  /** All of them, or those with one id. Strongly consistent. */
  subscriptions(connectionId: string, subscriptionId?: string): Promise<OwnSubscription[]>;
  /** Strongly consistent. */
  read(connectionId: string): Promise<Connection | null>;
  /** A STOMP session begins: from now on it speaks this dialect. False where the connection is gone. */
  admit(connectionId: string, session: { dialect: Dialect; principal: Principal | null }): Promise<boolean>;
  /** Remembers what a client says of itself, and that it is told all broadcasts or will choose, unless that is settled. Gives which; `null` = it is gone. */
  announce(connectionId: string, announcement: Announcement, broadcasts: Broadcasts, expiresAtMs: number): Promise<Broadcasts | null>;
  /** From now on it chooses its broadcasts. Gives what held before. */
  choose(connectionId: string): Promise<Broadcasts | null>;
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

// --- catalogue ------------------------------------------------------------------------------------------------

/** Small facts that no hot path writes: which topics are known, which are heard, what the watchers last saw. */
export interface Catalogue {
  /** Adds topics; a name that is given replaces the one it had. */
  list(channel: string, entries: readonly { topic: string; name: string | null }[]): Promise<void>;
  /** Marks the topic's state item as listed, so that no commit lists it again. */
  markListed(topic: string): Promise<void>;
  topics(channel: string): Promise<{ topic: string; name: string | null }[]>;
  names(channel: string, topics: readonly string[]): Promise<Map<string, string>>;
  addHeard(topic: string, atMs: number): Promise<void>;
  /** Somebody is about to unhear it: until it is removed or added again, it must be looked at once more. */
  markLeaving(topic: string): Promise<void>;
  heard(): Promise<{ topic: string; atMs: number; leaving: boolean }[]>;
  /** Nothing happens where it was added again since. */
  removeHeard(topic: string, atMs: number): Promise<void>;
  saveStatus(name: string, status: object): Promise<void>;
  status(name: string): Promise<Record<string, unknown> | null>;
  /** How the event id was first accepted: as given, unless it was within a day. */
  firstAcceptance(eventId: string, given: Acceptance): Promise<Acceptance>;
}

export interface Acceptance {
  readonly acceptedAtMs: number;
  /** The event's place in its request. */
  readonly index: number;
}

// --- registrations, streams, notices ------------------------------------------------------------------------------

/** Where a user asked to be told from, before they came. */
export interface Registration {
  readonly position: Position;
  /** Another each time it is made: who used up an earlier one leaves this alone. */
  readonly stamp: string;
}

export interface Registrations {
  /** Remembers the position; one that is there and has not lapsed stays, under the new stamp, and never lapses sooner. */
  register(topic: string, registration: Registration, expiresAtMs: number): Promise<void>;
  find(topic: string): Promise<Registration | null>;
  /** MUST leave one with another stamp alone. */
  useUp(topic: string, stamp: string): Promise<void>;
  remove(topic: string): Promise<void>;
}

/** How many event streams are open, about: one that was killed counts until its time is over. */
export interface Streams {
  /** Gives their number, this one included. */
  enter(atMs: number): Promise<number>;
  leave(enteredAtMs: number): Promise<void>;
}

/** Tells upstreams, over the bus. */
export interface Notices {
  send(detailType: string, detail: object): Promise<void>;
}

// --- the wire -------------------------------------------------------------------------------------------------

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

export interface Report {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, error: unknown, facts?: Record<string, unknown>): void;
  count(metric: string, value?: number): void;
  time(metric: string, ms: number): void;
}

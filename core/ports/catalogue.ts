/** What no hot path writes: known topics, registrations, open streams. */
import type { Position } from '../base/position.ts';

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

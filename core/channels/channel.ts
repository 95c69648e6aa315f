import type { GenericSchema } from 'valibot';
import * as v from 'valibot';
import { LOG_LIFE_MS } from '../base/lifetimes.ts';
import { parseMicros } from '../base/time.ts';
import type { Principal } from '../identity.ts';

/** Whether the newest wins on a topic, or every message counts. */
export type Kind = 'state' | 'log';

/** What is known of an accepted event besides its detail. */
export interface EventMeta {
  readonly id: string;
  /** The event's own `time`, ISO 8601, where it has one. */
  readonly time: string | null;
  readonly acceptedAtMs: number;
  /** Its place in the request that brought it. */
  readonly index: number;
}

/** Makes `value` the newest of one part of a state topic, unless that part has one of the same or a later order. */
export interface StateCommit {
  readonly kind: 'state';
  readonly topic: string;
  /** Parts of one state item are newest-wins each on its own; most channels have one. */
  readonly part: string;
  /** Made by `orderOf`. */
  readonly order: string;
  readonly value: object;
  /** A compact point for the topic's recent history, where the channel keeps one. */
  readonly recent: string | null;
  /** The event claimed a time too far ahead, and counts as accepted now. */
  readonly ahead: boolean;
}

/** Appends a message to a log topic, once for each event id. */
export interface LogCommit {
  readonly kind: 'log';
  readonly topic: string;
  readonly eventId: string;
  readonly value: object;
  /** As above. */
  readonly ahead: boolean;
}

/** Says which topics are expected to exist, with the names they go by. */
export interface Listing {
  readonly kind: 'listing';
  /** The channel's name. */
  readonly channel: string;
  readonly entries: readonly { readonly topic: string; readonly name: string }[];
}

export type Outcome = StateCommit | LogCommit | Listing;

export interface EventType<Detail = unknown> {
  readonly schema: GenericSchema<unknown, Detail>;
  outcomes(detail: Detail, meta: EventMeta): Outcome[];
}

/** A message as a client is to be told it. */
export interface Telling {
  readonly topic: string;
  /** State: the parts by name. Log: the event's value under `newest`. */
  readonly parts: Readonly<Record<string, object>>;
  readonly nowMs: number;
  /** Told again although nothing is new (the feed is down). */
  readonly retold: boolean;
}

/** A kind of topic: everything the rest of the system must know to carry it. A new kind of push = one new file here. */
export interface Channel {
  readonly name: string;
  readonly kind: Kind;
  /** The bus source its events come from. */
  readonly source: string;
  /** Whether `topic` is one of this channel. */
  matches(topic: string): boolean;
  /** How its topics look, for who asked for one that no channel has. */
  readonly topicHint: string;
  /** The recent history a topic should keep, or `null` while it need not be thinned. */
  thinRecent(points: readonly string[]): string[] | null;
  /** How long a topic is kept after it was last written to or asked for, in ms; `null` = for good. MUST be more than a day: longer than a log. */
  readonly lifeMs: number | null;
  /** Whether its topics are listed in the catalogue as they appear. */
  readonly catalogued: boolean;
  readonly events: Readonly<Record<string, EventType>>;
  /** What a client is told, in any dialect, without position; `null` where there is nothing to tell yet. */
  payload(telling: Telling): object | null;
  /** Whether this principal may be told its topics. */
  permits(topic: string, principal: Principal): boolean;
  /** Whom it permits, for who is not. */
  readonly permitHint: string;
  /** State topics: whether subscribers are told the newest again at the ping interval, to see that all is well. */
  readonly keepsAlive: boolean;
  /** How its topics are reached over HTTP, where they are. */
  readonly http: HttpForm | null;
  /** How a subscriber may narrow what it is told, where it may. */
  readonly filtering: Filtering | null;
  /** Log topics: how far back who comes back is told what it missed. */
  readonly history: History;
  /** The topic of it that a client which announced itself is told unasked, where there is one (`docs/protocol.md`, "Operations"). */
  readonly broadcast: string | null;
}

/** A filter is a list of values; a message passes by what it shares with them. */
export interface Filtering {
  /** What the list is called on the wire. */
  readonly name: string;
  /** What its values must be. */
  readonly values: GenericSchema<unknown, string>;
  /** What of a message is compared. */
  facets(payload: object): readonly string[];
  /** The payload as far as it passes; `null` where nothing does. */
  narrow(payload: object, wanted: readonly string[]): object | null;
}

/** A log's newest `messages`, and what is younger than `ms`, are there; but never more than `most`, nor older than a day. */
export interface History {
  readonly messages: number;
  readonly ms: number;
  readonly most: number;
}

/** All of a day, of logs that hold little. */
export const A_DAY: History = { messages: 1_000, ms: LOG_LIFE_MS, most: 100_000 };

/** A channel's topics over HTTP: as Server-Sent Events, and registered for. They are named by two whole numbers. */
export interface HttpForm {
  /** Path of the event stream. */
  readonly stream: string;
  /** Path of the registrations. */
  readonly registrations: string;
  readonly parameters: readonly ['userId', string];
  topicOf(ids: Readonly<Record<string, number>>): string;
  /** A payload as one Server-Sent Event. */
  event(payload: object): { readonly name: string; readonly data: object };
  /** State topics: the `data` of the event a stream begins with where nothing is known yet. */
  readonly unknown: ((ids: Readonly<Record<string, number>>, nowMs: number) => object) | null;
}

export function eventType<Detail>(
  schema: GenericSchema<unknown, Detail>,
  outcomes: (detail: Detail, meta: EventMeta) => Outcome[],
): EventType {
  return { schema, outcomes: (detail, meta) => outcomes(detail as Detail, meta) };
}

/** An instant in an event's detail. */
export const instant = v.pipe(
  v.string(),
  v.check((text) => parseMicros(text) !== null, 'expected ISO 8601 with a zone, such as 2026-02-06T22:48:44.590151+00:00'),
);

/** The event's own time, in microseconds: its detail's, else its envelope's; `null` where it has none. */
export const ownTime = (timestamp: string | undefined, meta: EventMeta): number | null =>
  timestamp !== undefined ? parseMicros(timestamp) : meta.time === null ? null : parseMicros(meta.time);

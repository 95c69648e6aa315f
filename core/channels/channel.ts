/** A channel as the engine uses it: everything it must know to carry one kind of topic. `defineChannel` makes it. */
import type { GenericSchema } from 'valibot';
import { LOG_LIFE_MS } from '../base/lifetimes.ts';
import type { Principal } from '../identity.ts';
import type { Ports } from '../ports/ports.ts';
import type { StateCommit, TopicState } from '../ports/topics.ts';
import type { Settings } from '../settings.ts';
import type { Given, Parameter, Values } from './topic-pattern.ts';

/** On a state topic the newest message wins; on a log topic every message counts. */
export type Kind = 'state' | 'log';

/** An accepted event without its detail. */
export interface EventMeta {
  readonly id: string;
  /** The event's own `time`, ISO 8601, if it has one. */
  readonly time: string | null;
  readonly acceptedAtMs: number;
  /** Its index in the request that brought it. */
  readonly index: number;
}

/** Appends a message to a log topic, once for each event id. */
export interface LogCommit {
  readonly kind: 'log';
  readonly topic: string;
  readonly eventId: string;
  readonly value: object;
  /** The event claimed a time too far ahead, and counts as accepted now. */
  readonly ahead: boolean;
}

/** Says which topics of a channel are expected to exist, and their names. */
export interface Listing {
  readonly kind: 'listing';
  /** The channel's name. */
  readonly channel: string;
  readonly entries: readonly { readonly topic: string; readonly name: string }[];
}

/** The result of an event. */
export type Outcome = StateCommit | LogCommit | Listing;

export interface EventType {
  readonly schema: GenericSchema;
  /** The field that is a list of entries, each good or bad by itself; `null` = none. */
  readonly list: string | null;
  /** `detail` is what the schema returned. */
  outcomes(detail: unknown, meta: EventMeta): Outcome[];
}

/** A committed message, to be made a payload. */
export interface Message {
  readonly topic: string;
  /** State: the parts by name. Log: the event's value under `newest`. */
  readonly parts: Readonly<Record<string, object>>;
  readonly nowMs: number;
  /** It is delivered again although nothing is new. */
  readonly repeated: boolean;
  readonly settings: Settings;
}

export interface Channel {
  readonly name: string;
  readonly kind: Kind;
  /** The bus source of its events. */
  readonly source: string;
  /** Whether `topic` is one of this channel. */
  matches(topic: string): boolean;
  /** How its topics look, for the error about a topic that no channel has. */
  readonly topicHint: string;
  /** Its topics' pattern, such as `price:{ticker}`. */
  readonly topicPattern: string;
  /** How long a topic is kept after it was last written or subscribed to, in ms; `null` = for good. MUST be longer than a log: more than a day. */
  readonly lifeMs: number | null;
  readonly events: Readonly<Record<string, EventType>>;
  /** The message as clients get it, in any dialect, without position; `null` while there is nothing to deliver. */
  payload(message: Message): object | null;
  /** Whether this principal may subscribe to the topic. */
  permits(topic: string, principal: Principal): boolean;
  /** Completes the error that others get: "this topic …". */
  readonly permitHint: string;
  /** State topics: whether subscribers get the newest again at the ping interval, as a sign of life. */
  readonly keepsAlive: boolean;
  /** How its topics are reached over HTTP; `null` = they are not. */
  readonly http: HttpForm | null;
  /** How a subscriber may narrow what it gets; `null` = it may not. */
  readonly filtering: Filtering | null;
  /** Log topics: how far back a returning subscriber gets what it missed. */
  readonly history: History;
  /** State topics: what the channel does for itself after a commit, such as thinning a history; `null` = nothing. */
  readonly committed: ((commit: Committed, ports: Pick<Ports, 'topics'>) => Promise<void>) | null;
  /** Whether its topics are listed in the catalogue when something is committed to them. */
  readonly listed: boolean;
  /**
   * The system's own: clients are not told of it, and only the system subscribes them to it. It may take events of another
   * channel, which alone says what is wrong with them.
   */
  readonly internal: boolean;
}

/** `changed` is false if the event was not newer: a redelivery, or late. */
export interface Committed {
  readonly changed: boolean;
  readonly state: TopicState;
}

/** A filter is a list of values; a message passes by the values it shares with the list. */
export interface Filtering {
  /** Name of the list on the wire. */
  readonly name: string;
  /** Schema of one value. */
  readonly values: GenericSchema<unknown, string>;
  /** The values of a message. */
  facets(payload: object): readonly string[];
  /** The part of the payload that passes; `null` if nothing does. */
  narrow(payload: object, wanted: readonly string[]): object | null;
}

/** A log keeps its newest `messages` and all that is younger than `ms`, but never more than `most`, nor older than a day. */
export interface History {
  readonly messages: number;
  readonly ms: number;
  readonly most: number;
}

/** All of a day, for logs that hold little. */
export const A_DAY: History = { messages: 1_000, ms: LOG_LIFE_MS, most: 100_000 };

/** A channel's topics over HTTP: as Server-Sent Events, and registered for. Requests name a topic by its parameters. */
export interface HttpForm {
  /** Path of the event stream. */
  readonly stream: string;
  /** Path of the registrations. */
  readonly registrations: string;
  /** The topic's parameters, by name. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** Reads the topic's parameters. Throws a PushError that names the first that is wrong. */
  read(given: Given): { readonly topic: string; readonly values: Values };
  /** The path of the topic's event stream, with its query. MUST be called only for a topic of the channel. */
  streamOf(topic: string): string;
  /** The fields of a registration's notice to upstreams, beside channel and destination. */
  notice(values: Values): object;
  /** A payload as one Server-Sent Event. */
  event(payload: object): { readonly name: string; readonly data: object };
  /** State topics: the `data` of a stream's first event while the topic has no message. */
  readonly unknown: ((values: Values, nowMs: number) => object) | null;
}

/**
 * How a channel is declared. A channel needs a name, a kind, a source, a topic pattern, its events, its payload and who
 * may subscribe; everything else has a default.
 *
 * @example
 * defineChannel({
 *   name: 'orders',
 *   kind: 'log',
 *   source: 'shop.orders',
 *   topic: '/topic/orders/{orderId}/{userId}',
 *   events: { OrderShipped: event(shipped, ({ orderId, userId, carrier }) => ({ topic: { orderId, userId }, value: () => ({ carrier }) })) },
 *   payload: ({ parts: { newest } }: MessageOf<{ newest: { carrier: string } }>) => newest && { type: 'order_shipped', ...newest },
 *   permits: onlyUser('userId'),
 * });
 */

import type { GenericSchema } from 'valibot';
import * as v from 'valibot';
import { PART_SEPARATOR } from '../base/event-id.ts';
import { LOG_LIFE_MS } from '../base/lifetimes.ts';
import { eventTime, orderOf } from '../base/ordering.ts';
import { quote } from '../base/text.ts';
import { isoOf, parseMicros } from '../base/time.ts';
import { numbers } from '../base/validation.ts';
import { PushError } from '../errors.ts';
import { A_DAY, type Channel, type EventMeta, type HttpForm, type Kind, type Message, type Outcome } from './channel.ts';
import type { Permit } from './permits.ts';
import { type Parameter, type TopicPattern, topicPattern, type Values, type ValuesOf } from './topic-pattern.ts';

/** When an event was true. */
export interface EventTime {
  /** Milliseconds since 1970. */
  readonly ms: number;
  readonly iso: string;
  /** As the event gave it; `null` if it gave none, or one too far ahead to count. */
  readonly given: string | null;
}

/** One message that an event becomes. */
export type Draft<TopicValues = Values, Parts extends object = Record<string, object>> = {
  [Part in keyof Parts & string]: {
    /** The topic's parameters. */
    readonly topic: TopicValues;
    /** The event's own time, ISO 8601. @default the envelope's */
    readonly timestamp?: string | undefined;
    /** State topics: at the same time, the higher rank wins. @default 0 */
    readonly rank?: number;
    /** State topics: texts to append to lists among the topic's notes. */
    readonly append?: (at: EventTime) => Readonly<Record<string, string>>;
    readonly value: (at: EventTime) => NonNullable<Parts[Part]>;
  } & (Part extends 'newest' ? { readonly part?: Part } : { /** The part of the state that it replaces. */ readonly part: Part });
}[keyof Parts & string];

/** A topic that is expected to exist, and its name. */
export interface Expected<TopicValues = Values> {
  readonly topic: TopicValues;
  readonly expectedAs: string;
}

export interface EventForm<Made = Draft | Expected> {
  readonly schema: GenericSchema;
  readonly list: string | null;
  readonly make: (detail: unknown, meta: EventMeta) => Made | readonly Made[];
}

/**
 * An event type: the schema of its detail, and the messages it becomes.
 * @param list the field that is a list of entries, each good or bad by itself: bad ones are refused, the others taken
 */
export const event = <Detail, const Made>(
  schema: GenericSchema<unknown, Detail>,
  make: (detail: Detail, meta: EventMeta) => Made | readonly Made[],
  { list = null }: { readonly list?: (keyof Detail & string) | null } = {},
): EventForm<Made> => ({ schema: v.pipe(schema, numbers('exact')), list, make: (detail, meta) => make(detail as Detail, meta) });

/** A message with typed parts and the topic's parameters. */
export interface MessageOf<Parts extends object, TopicValues = Values> extends Omit<Message, 'parts'> {
  readonly parts: Partial<Parts>;
  readonly values: TopicValues;
}

/** A channel's declaration. */
export interface ChannelForm<Topic extends string, Given extends Readonly<Record<string, Parameter>>, Parts extends object>
  extends Partial<Pick<Channel, 'lifeMs' | 'keepsAlive' | 'filtering' | 'history' | 'committed' | 'listed' | 'internal'>> {
  readonly name: string;
  readonly kind: Kind;
  readonly source: string;
  /** Parameters stand in braces. */
  readonly topic: Topic;
  /** The form of each parameter. @default `WORD` */
  readonly parameters?: Given;
  readonly events: Readonly<Record<string, EventForm<Draft<ValuesOf<Topic, Given>, Parts> | Expected<ValuesOf<Topic, Given>>>>>;
  readonly payload: (message: MessageOf<Parts, ValuesOf<Topic, Given>>) => object | null | undefined;
  readonly permits: Permit<ValuesOf<Topic, Given>>;
  /** @default not reached over HTTP */
  readonly http?: {
    readonly stream: string;
    readonly registrations: string;
    /** The order in which a request's parameters are checked. @default as in the pattern */
    readonly parameters?: readonly (keyof ValuesOf<Topic, Given> & string)[];
    /** @default all parameters */
    readonly notice?: (values: ValuesOf<Topic, Given>) => object;
    /** @default the payload, under the channel's name */
    readonly event?: (payload: object) => { readonly name: string; readonly data: object };
    readonly unknown?: (values: ValuesOf<Topic, Given>, nowMs: number) => object;
  };
}

export function defineChannel<
  const Topic extends string,
  Parts extends object,
  const Given extends Readonly<Record<string, Parameter>> = Readonly<Record<never, Parameter>>,
>(form: ChannelForm<Topic, Given, Parts>): Channel {
  const { name, kind, source, payload, permits, http } = form;
  const pattern = topicPattern(form.topic, form.parameters, http?.parameters);
  checkForm(form, pattern.names);
  type Own = ValuesOf<Topic, Given>;
  const valuesOf = (topic: string): Own => pattern.match(topic) as unknown as Own;
  return {
    name,
    kind,
    source,
    matches: pattern.matches,
    topicHint: pattern.hint,
    topicPattern: form.topic,
    lifeMs: form.lifeMs ?? null,
    keepsAlive: form.keepsAlive ?? false,
    filtering: form.filtering ?? null,
    history: form.history ?? A_DAY,
    committed: form.committed ?? null,
    listed: form.listed ?? false,
    internal: form.internal ?? false,
    events: Object.fromEntries(
      Object.entries(form.events).map(([type, { schema, list, make }]) => [
        type,
        {
          schema,
          list,
          outcomes: (detail, meta) => outcomesOf([make(detail, meta)].flat() as (Draft | Expected)[], meta, { name, kind, ...pattern }),
        },
      ]),
    ),
    payload: (message) => payload({ ...message, parts: message.parts as Partial<Parts>, values: valuesOf(message.topic) }) ?? null,
    permitHint: permits.hint,
    permits: (topic, principal) => permits.permits(principal, valuesOf(topic)),
    http: http
      ? {
          stream: http.stream,
          registrations: http.registrations,
          parameters: pattern.parameters,
          read: pattern.read,
          streamOf: (topic) => `${http.stream}?${pattern.query(topic)}`,
          notice: (http.notice as HttpForm['notice'] | undefined) ?? ((values) => values),
          event: http.event ?? ((data) => ({ name, data })),
          unknown: (http.unknown as HttpForm['unknown'] | undefined) ?? null,
        }
      : null,
  };
}

/** TypeScript refuses most of these already; a module that was not compiled is told here. */
function checkForm({ name, kind, lifeMs, parameters = {} }: Declared, names: readonly string[]): void {
  const problems = [
    ...(/^[\w-]+$/.test(name) ? [] : ['a name of letters, digits, _ and -']),
    ...(['state', 'log'].includes(kind) ? [] : [`the kind state or log, got ${JSON.stringify(kind)}`]),
    ...(names.length === new Set(names).size ? [] : ['each parameter once in the topic']),
    ...Object.keys(parameters).flatMap((one) => (names.includes(one) ? [] : [`{${one}} in the topic, or no parameter of that name`])),
    ...(kind === 'log' && lifeMs != null && lifeMs <= LOG_LIFE_MS ? [`lifeMs of more than a day, got ${lifeMs}`] : []),
  ];
  if (problems.length > 0) throw new Error(`channel ${JSON.stringify(name)}: expected ${problems.join('; ')}`);
}

type Declared = Partial<Pick<Channel, 'lifeMs'>> & Pick<Channel, 'name' | 'kind'> & { readonly parameters?: object };

/** Of equal time, the later message of a request wins, and within an event the later draft. More drafts than this would reach into the order of the next event. */
const MAX_DRAFTS = 1_000;

type OwnChannel = Pick<Channel, 'name' | 'kind'> & Pick<TopicPattern, 'topicOf' | 'matches' | 'hint'>;

function outcomesOf(drafts: readonly (Draft | Expected)[], meta: EventMeta, channel: OwnChannel): Outcome[] {
  const expected = drafts.flatMap((draft) =>
    'expectedAs' in draft ? [{ topic: ownTopic(draft.topic, channel), name: draft.expectedAs }] : [],
  );
  if (expected.length > 0) return [{ kind: 'listing', channel: channel.name, entries: expected }];
  return drafts.map((draft, place) => commitOf(draft as Draft, place, meta, channel));
}

/** The topic of a draft. Throws a PushError if no client could subscribe to it: its message would be lost. */
function ownTopic(values: Values, { topicOf, matches, hint }: OwnChannel): string {
  const topic = topicOf(values);
  if (matches(topic)) return topic;
  throw new PushError('INVALID_MESSAGE_FORMAT', `detail: there is no topic ${quote(topic, 100)}, expected ${hint}`);
}

function commitOf(draft: Draft, place: number, meta: EventMeta, channel: OwnChannel): Outcome {
  const { id, acceptedAtMs, index } = meta;
  const given = draft.timestamp ?? meta.time;
  const { atMicros, ahead } = eventTime(given === null ? null : parseMicros(given), acceptedAtMs);
  const order = orderOf({ atMicros, acceptedAtMs, index: index * MAX_DRAFTS + place, id, rank: draft.rank ?? 0 });
  const ms = Math.floor(atMicros / 1000);
  const at: EventTime = { ms, iso: isoOf(ms), given: ahead ? null : given };
  const { kind } = channel;
  const topic = ownTopic(draft.topic, channel);
  const value = draft.value(at);
  if (kind === 'log') return { kind, topic, eventId: partId(id, place), value, ahead };
  return { kind, topic, part: draft.part ?? 'newest', order, value, append: draft.append?.(at) ?? {}, ahead };
}

/** A redelivered event makes the same messages: each keeps its id. */
const partId = (id: string, place: number): string => (place === 0 ? id : `${id}${PART_SEPARATOR}${place + 1}`);

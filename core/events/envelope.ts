import * as v from 'valibot';
import { byteLength } from '../base/bytes.ts';
import { eventId } from '../base/event-id.ts';
import { cut } from '../base/text.ts';
import { parseMicros } from '../base/time.ts';
import { explain, jsonObject, parseJson } from '../base/validation.ts';
import type { Channel, Outcome } from '../channels/channel.ts';
import type { Channels, Taker } from '../channels/channels.ts';
import { PushError } from '../errors.ts';
import { ACCEPTANCE_KEY } from '../names.ts';
import type { AcceptedEvent } from '../ports/events.ts';

const isoTime = v.pipe(
  v.string(),
  v.check((text) => parseMicros(text) !== null, 'expected ISO 8601'),
);

/**
 * An event on the bus and in the queue: EventBridge's envelope. What our own publishing adds (the publisher's id and time,
 * and the acceptance) travels in the detail, because EventBridge keeps only whole seconds.
 */
const envelope = v.object({
  id: eventId(200),
  source: v.string(),
  'detail-type': v.string(),
  time: isoTime,
  detail: jsonObject,
});

/** The latest time that JavaScript has. */
const MAX_TIME_MS = 8.64e15;

const acceptance = v.object({
  id: eventId(200),
  time: v.nullable(isoTime),
  acceptedAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MAX_TIME_MS)),
  index: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(999)),
});

export type Envelope = v.InferInput<typeof envelope>;

/** The detail as it goes over the bus. */
export const detailOnBus = (event: AcceptedEvent): Record<string, unknown> => ({
  ...event.detail,
  [ACCEPTANCE_KEY]: { id: event.id, time: event.time, acceptedAtMs: event.acceptedAtMs, index: event.index },
});

/** The whole envelope, for the lane past the bus. */
export const toEnvelope = (event: AcceptedEvent): Envelope => ({
  id: event.id,
  source: event.source,
  'detail-type': event.detailType,
  time: new Date(event.acceptedAtMs).toISOString(),
  detail: detailOnBus(event),
});

/** The id of an event that may be invalid, as its publisher knows it; `null` if it has none. */
export function idIn(body: string): string | null {
  try {
    const { id, detail } = parseJson(body) as { id?: unknown; detail?: Readonly<Record<string, { readonly id?: unknown } | undefined>> };
    const given = detail?.[ACCEPTANCE_KEY]?.id ?? id;
    return typeof given === 'string' ? cut(given, 200) : null;
  } catch (error) {
    // no JSON, or no object
    if (error instanceof PushError || error instanceof TypeError) return null;
    throw error;
  }
}

export interface KnownEvent {
  readonly event: AcceptedEvent;
  /** The messages it becomes, if it is accepted as `event` says, each with its channel. */
  readonly outcomes: readonly { readonly channel: Channel; readonly outcome: Outcome }[];
  /** Entries of its list that were refused, and are not in its detail any more. */
  readonly refused: readonly RefusedEntry[];
}

export interface RefusedEntry {
  readonly entry: unknown;
  /** Such as `quotes.2.price`. */
  readonly path: string;
  readonly error: PushError;
}

/**
 * Checks an event against its channel's schema, and that its topics exist. Of an event that is a list, bad entries are
 * refused by themselves. Throws a PushError that says what is wrong.
 */
export function checkEvent(event: AcceptedEvent, channels: Channels): KnownEvent {
  const found = channels.event(event.source, event.detailType);
  if (!found) {
    throw new PushError('INVALID_MESSAGE_FORMAT', `no channel takes ${event.source} / ${event.detailType}`, {
      known: channels.all.flatMap((channel) =>
        (channel.internal ? [] : Object.keys(channel.events)).map((name) => `${channel.source} / ${name}`),
      ),
    });
  }
  const { type } = found;
  const whole = v.safeParse(type.schema, event.detail);
  if (whole.success) return { event, outcomes: outcomesOf(whole.output, event, found), refused: [] };
  const { detail, refused } = withoutBadEntries(event.detail, type.list, whole.issues);
  const rest = v.safeParse(type.schema, detail);
  if (!rest.success) throw explain(whole.issues, 'detail');
  const taken = { ...event, detail };
  return { event: taken, outcomes: outcomesOf(rest.output, taken, found), refused };
}

/** The outcomes in the event's own channel, then in internal ones that take it too: to these a detail that they cannot use is nothing. */
function outcomesOf(detail: unknown, event: AcceptedEvent, { channel, type, also }: NonNullable<ReturnType<Channels['event']>>) {
  const of = (taker: Taker, read: unknown) => taker.type.outcomes(read, event).map((outcome) => ({ channel: taker.channel, outcome }));
  return [
    ...of({ channel, type }, detail),
    ...also.flatMap((taker) => {
      const read = v.safeParse(taker.type.schema, event.detail);
      return read.success ? of(taker, read.output) : [];
    }),
  ];
}

type Issues = readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]];

/** Takes the bad entries out of an event's list. Throws if something else is wrong, or no entry is good. */
function withoutBadEntries(
  detail: AcceptedEvent['detail'],
  list: string | null,
  issues: Issues,
): { readonly detail: AcceptedEvent['detail']; readonly refused: RefusedEntry[] } {
  const bad = new Map<unknown, v.BaseIssue<unknown>>();
  for (const issue of issues) {
    const [field, entry] = issue.path ?? [];
    if (list === null || field?.key !== list || typeof entry?.key !== 'number') throw explain(issues, 'detail');
    if (!bad.has(entry.key)) bad.set(entry.key, issue);
  }
  const entries = detail[list as string] as unknown[];
  if (bad.size === entries.length) throw explain(issues, 'detail');
  const refused = [...bad].map(([index, issue]) => ({
    entry: entries[index as number],
    path: v.getDotPath(issue) ?? `${list}.${String(index)}`,
    error: explain([issue], 'detail'),
  }));
  return { detail: { ...detail, [list as string]: entries.filter((_, index) => !bad.has(index)) }, refused };
}

/** Our own clock may be a little ahead of the queue's. */
const SKEW_MS = 1_000;

/**
 * Reads an envelope off the queue. Events that upstreams put on the bus themselves carry no acceptance of ours: they were
 * accepted when the queue took them, which tells apart those of one second. No event is accepted later than that, whatever it
 * says of itself.
 */
export function readEnvelope(text: string, sentAtMs: number, channels: Channels): KnownEvent {
  const outer = v.safeParse(envelope, parseJson(text));
  if (!outer.success) throw explain(outer.issues, 'event');
  const { detail, ...rest } = outer.output;
  const { [ACCEPTANCE_KEY]: ours, ...plain } = detail;
  const stamped = v.safeParse(acceptance, ours);
  const { acceptedAtMs, ...accepted } = stamped.success
    ? stamped.output
    : { id: rest.id, time: rest.time, acceptedAtMs: sentAtMs, index: 0 };
  const event = { source: rest.source, detailType: rest['detail-type'], detail: plain, ...accepted };
  return checkEvent({ ...event, acceptedAtMs: acceptedAtMs > sentAtMs + SKEW_MS ? sentAtMs : acceptedAtMs }, channels);
}

/** An event as it came, with no more than these entries of its list. */
export function withEntries(text: string, list: string, entries: readonly unknown[]): string {
  const event = parseJson(text) as { readonly detail: object };
  return JSON.stringify({ ...event, detail: { ...event.detail, [list]: entries } });
}

/** Throws if an event's detail is larger than a message may be. */
export function checkSize(detail: object, maxBytes: number): void {
  const bytes = sizeOf(detail);
  if (bytes > maxBytes)
    throw new PushError('PAYLOAD_TOO_LARGE', `detail: ${bytes} bytes, allowed are ${maxBytes}`, { bytes, limit_bytes: maxBytes });
}

function sizeOf(detail: object): number {
  try {
    return byteLength(JSON.stringify(detail));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PushError('INVALID_MESSAGE_FORMAT', 'detail: nested too deeply');
  }
}

import * as v from 'valibot';
import { byteLength } from '../base/bytes.ts';
import { eventId } from '../base/event-id.ts';
import { parseMicros } from '../base/time.ts';
import { explain, jsonObject, parseJson } from '../base/validation.ts';
import type { Channel, Outcome } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { PushError } from '../errors.ts';
import { ACCEPTANCE_KEY } from '../names.ts';
import type { AcceptedEvent } from '../ports/events.ts';

/**
 * An event on the bus and in the queue: EventBridge's envelope. What our own publishing adds (the publisher's id and time,
 * and the acceptance) travels in the detail, because EventBridge keeps only whole seconds.
 */
const envelope = v.object({
  id: eventId(200),
  source: v.string(),
  'detail-type': v.string(),
  time: v.pipe(
    v.string(),
    v.check((text) => parseMicros(text) !== null, 'expected ISO 8601'),
  ),
  detail: jsonObject,
});

/** The latest time that JavaScript has. */
const MAX_TIME_MS = 8.64e15;

const acceptance = v.object({
  id: eventId(200),
  time: v.nullable(v.string()),
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

export interface KnownEvent {
  readonly event: AcceptedEvent;
  readonly channel: Channel;
  /** The messages it becomes, if it is accepted as `event` says. */
  readonly outcomes: readonly Outcome[];
}

/** Checks an event against its channel's schema, and that its topics exist. Throws a PushError that says what is wrong. */
export function checkEvent(event: AcceptedEvent, channels: Channels): KnownEvent {
  const found = channels.event(event.source, event.detailType);
  if (!found) {
    throw new PushError('INVALID_MESSAGE_FORMAT', `no channel takes ${event.source} / ${event.detailType}`, {
      known: channels.all.flatMap((channel) => Object.keys(channel.events).map((name) => `${channel.source} / ${name}`)),
    });
  }
  const parsed = v.safeParse(found.type.schema, event.detail);
  if (!parsed.success) throw explain(parsed.issues, 'detail');
  return { event, channel: found.channel, outcomes: found.type.outcomes(parsed.output, event) };
}

/** Reads an envelope off the queue. Events that upstreams put on the bus themselves carry no acceptance of ours. */
export function readEnvelope(text: string, channels: Channels): KnownEvent {
  const outer = v.safeParse(envelope, parseJson(text));
  if (!outer.success) throw explain(outer.issues, 'event');
  const { detail, ...rest } = outer.output;
  const { [ACCEPTANCE_KEY]: ours, ...plain } = detail;
  const stamped = v.safeParse(acceptance, ours);
  const accepted = stamped.success
    ? stamped.output
    : { id: rest.id, time: rest.time, acceptedAtMs: Math.floor((parseMicros(rest.time) as number) / 1000), index: 0 };
  return checkEvent({ source: rest.source, detailType: rest['detail-type'], detail: plain, ...accepted }, channels);
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

/** Messages too large for a frame: the body is stored apart, and subscribers get a reference to it. */
import { byteLength } from '../base/bytes.ts';
import { LOG_LIFE_MS } from '../base/lifetimes.ts';
import { isoOf } from '../base/time.ts';
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { MAX_INLINE_BYTES } from '../names.ts';
import type { Ports } from '../ports/ports.ts';

/** Path of a body: `GET /api/messages/{id}`. */
const BODY_PATH = '/api/messages/';

/** The field that makes a log's value a reference. A channel MUST give its values no field of this name. */
const REFERENCE = '#reference';

/** A longer text of a large message's payload is left out of its reference. */
const MAX_TEXT = 256;

/** The log's value for a large message. */
interface Reference {
  /** As subscribers get it: its short fields without its data, and the reference. */
  readonly payload: object;
  /** The values that filters compare. */
  readonly facets: readonly string[];
}

/** The stored reference; `null` if the value holds the message itself. */
export const referenceOf = (value: object): Reference | null => (REFERENCE in value ? (value[REFERENCE] as Reference) : null);

/** The fields that a payload keeps beside its reference: numbers, yes and no, and short texts. */
const shortFields = (payload: object): object =>
  Object.fromEntries(
    Object.entries(payload).filter(([, value]) => (typeof value === 'string' ? value.length <= MAX_TEXT : typeof value !== 'object')),
  );

export interface LargeMessagePorts extends Pick<Ports, 'bodies' | 'clock' | 'newId'> {
  readonly channels: Channels;
}

/** The value as the log holds it. A large body is stored before its reference is committed, so that it can always be fetched. */
export async function inlineOrReference(topic: string, value: object, channel: Channel, ports: LargeMessagePorts): Promise<object> {
  // a payload is never twice as long as its value
  if (byteLength(JSON.stringify(value)) <= MAX_INLINE_BYTES / 2) return value;
  const nowMs = ports.clock.now();
  const payload = channel.payload({ topic, parts: { newest: value }, nowMs, repeated: false, settings: ports.channels.settings });
  const bytes = payload === null ? 0 : byteLength(JSON.stringify(payload));
  if (payload === null || bytes <= MAX_INLINE_BYTES) return value;
  const id = ports.newId();
  const expiresAtMs = nowMs + LOG_LIFE_MS;
  await ports.bodies.put(id, { topic, payload, expiresAtMs });
  const reference: Reference = {
    payload: { ...shortFields(payload), data: {}, ref: BODY_PATH + id, bytes, expires_at: isoOf(expiresAtMs) },
    facets: channel.filtering?.facets(payload) ?? [],
  };
  return { [REFERENCE]: reference };
}

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

/** The log's value for a large message. */
interface Reference {
  /** As subscribers get it: without its data, with the reference. */
  readonly payload: object;
  /** The values that filters compare. */
  readonly facets: readonly string[];
}

/** The reference that a log's value is; `null` if the value is the message itself. */
export const referenceOf = (value: object): Reference | null => ('reference' in value ? (value.reference as Reference) : null);

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
    payload: { ...payload, data: {}, ref: BODY_PATH + id, bytes, expires_at: isoOf(expiresAtMs) },
    facets: channel.filtering?.facets(payload) ?? [],
  };
  return { reference };
}

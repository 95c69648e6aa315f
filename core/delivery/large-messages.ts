/** Messages too large for a frame: their body lies apart, and what is told refers to it. */
import { byteLength } from '../base/bytes.ts';
import { LOG_LIFE_MS } from '../base/lifetimes.ts';
import { isoOf } from '../base/time.ts';
import type { Channel } from '../channels/channel.ts';
import { MAX_INLINE_BYTES } from '../names.ts';
import type { Clock } from '../ports.ts';

/** Where a body is asked for: `GET /api/messages/{id}`. */
const BODY_PATH = '/api/messages/';

/** What lies apart. */
export interface Body {
  /** Whoever may be told the topic may read it. */
  readonly topic: string;
  readonly payload: object;
  readonly expiresAtMs: number;
}

export interface Bodies {
  put(id: string, body: Body): Promise<void>;
  /** `null` where there is none, or its time is over. */
  read(id: string): Promise<Body | null>;
}

/** What stands in the log in place of a large message. */
export interface Aside {
  /** As it is told: without its data, with the reference. */
  readonly payload: object;
  /** What filters compare. */
  readonly facets: readonly string[];
}

export const asideOf = (value: object): Aside | null => ('aside' in value ? (value.aside as Aside) : null);

export interface AsidePorts {
  readonly bodies: Bodies;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** The value as the log holds it: a large one is set aside first, so that what is told can always be fetched. */
export async function fitting(topic: string, value: object, channel: Channel, ports: AsidePorts): Promise<object> {
  // what is told of a value is never twice as long
  if (byteLength(JSON.stringify(value)) <= MAX_INLINE_BYTES / 2) return value;
  const nowMs = ports.clock.now();
  const payload = channel.payload({ topic, parts: { newest: value }, nowMs, retold: false });
  const bytes = payload === null ? 0 : byteLength(JSON.stringify(payload));
  if (payload === null || bytes <= MAX_INLINE_BYTES) return value;
  const id = ports.newId();
  const expiresAtMs = nowMs + LOG_LIFE_MS;
  await ports.bodies.put(id, { topic, payload, expiresAtMs });
  const aside: Aside = {
    payload: { ...payload, data: {}, ref: BODY_PATH + id, bytes, expires_at: isoOf(expiresAtMs) },
    facets: channel.filtering?.facets(payload) ?? [],
  };
  return { aside };
}

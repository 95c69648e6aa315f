/** `client_info`: a dashboard announces itself, and gets all broadcasts until it chooses. */
import * as v from 'valibot';
import { cut } from '../../core/base/text.ts';
import { isoOf } from '../../core/base/time.ts';
import { optional } from '../../core/base/validation.ts';
import { type ClientSession, clientMessage } from '../../core/channels/system.ts';
import { VERSION } from '../../core/version.ts';
import { BROADCAST_TOPICS } from './broadcasts.ts';
import { name } from './fields.ts';

/** Longer texts and lists of a client are cut to these lengths. */
const MAX_TEXT = 300;
const MAX_WORDS = 20;
const MAX_WORD = 50;

const shortened = optional(
  v.pipe(
    v.string(),
    v.transform((text) => cut(text, MAX_TEXT)),
  ),
);
const words = optional(
  v.pipe(
    v.array(v.string()),
    v.transform((all) => all.slice(0, MAX_WORDS).map((word) => cut(word, MAX_WORD))),
  ),
);

const schema = v.object({
  data: v.object({
    client_id: name,
    client_type: shortened,
    user_agent: shortened,
    screen_resolution: shortened,
    timezone: shortened,
    language: shortened,
    features: words,
    timestamp: shortened,
  }),
});

export const clientInfo = clientMessage(schema, async ({ data: { client_id: clientId, ...given } }, session) => {
  const info = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
  const explicit = given.features?.includes('explicit') ?? false;
  await session.announce({ clientId, info }, { topics: BROADCAST_TOPICS, explicit }, () => connectionStatus(session));
});

/** Features that a dashboard may count on. */
const FEATURES = [
  'real_time_metrics',
  'log_streaming',
  'webhook_notifications',
  'posco_integration',
  'recovery',
  'filters',
  'explicit',
] as const;

async function connectionStatus({ ports: { connections, clock, newId } }: ClientSession): Promise<string> {
  const { count, sinceMs } = await connections.counted();
  const nowMs = clock.now();
  const timestamp = isoOf(nowMs);
  return JSON.stringify({
    type: 'connection_status',
    data: {
      status: 'connected',
      server_version: VERSION,
      server_time: timestamp,
      client_count: count,
      uptime_seconds: sinceMs === null ? 0 : Math.max(0, Math.floor((nowMs - sinceMs) / 1000)),
      features: FEATURES,
    },
    timestamp,
    broadcast_id: `connection_${newId()}`,
  });
}

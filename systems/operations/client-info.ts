/** `client_info`: a dashboard announces itself, and gets all broadcasts until it chooses. */
import * as v from 'valibot';
import { cut } from '../../core/base/text.ts';
import { isoOf } from '../../core/base/time.ts';
import { optional } from '../../core/base/validation.ts';
import type { Channel } from '../../core/channels/channel.ts';
import { type ClientSession, clientMessage } from '../../core/channels/system.ts';
import { VERSION } from '../../core/version.ts';
import { BROADCAST_TOPICS } from './broadcasts.ts';
import { CONTROL, name } from './fields.ts';
import { logUpdateChannel } from './log-update.ts';
import { opsTopic } from './ops-channel.ts';
import { poscoEventChannel } from './posco-event.ts';
import { statusUpdateChannel } from './status-update.ts';
import { allowedHosts } from './webhooks/settings.ts';

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

/** Broadcasts that are features to the original's dashboards. */
const OF_BROADCASTS: readonly (readonly [string, Channel])[] = [
  ['real_time_metrics', statusUpdateChannel],
  ['log_streaming', logUpdateChannel],
  ['posco_integration', poscoEventChannel],
];
const ALWAYS = ['recovery', 'filters', 'explicit'];

/** Features that this client may count on: what it may not see or do is not among them. */
function featuresOf({ principal, mayAct, ports: { settings } }: ClientSession): string[] {
  const seen = OF_BROADCASTS.filter(([, { name, permits }]) => principal !== null && permits(opsTopic(name), principal));
  const acts = mayAct(CONTROL);
  const sends = acts && allowedHosts(settings).length > 0;
  return [
    ...seen.map(([feature]) => feature),
    ...(sends ? ['webhook_notifications'] : []),
    ...(acts ? ['service_control'] : []),
    ...ALWAYS,
  ];
}

async function connectionStatus(session: ClientSession): Promise<string> {
  const { connections, clock, newId } = session.ports;
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
      features: featuresOf(session),
    },
    timestamp,
    broadcast_id: `connection_${newId()}`,
  });
}

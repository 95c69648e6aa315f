/** The operations monitor's share of the JSON dialect: what its clients send, and what answers them (`docs/protocol.md`, "Operations"). */
import * as v from 'valibot';
import { isoOf } from '../base/time.ts';
import { opsTopic } from '../channels/ops/ops.ts';
import type { Announcement } from '../ports.ts';

export type MonitorCommand =
  | { readonly type: 'client_info'; readonly announcement: Announcement; readonly explicit: boolean }
  | { readonly type: 'ping'; readonly clientTime: string; readonly clientTimeMs: number }
  | { readonly type: 'service_control'; readonly serviceId: string; readonly action: Action; readonly options: ControlOptions }
  | { readonly type: 'send_webhook'; readonly webhookType: string; readonly url: string; readonly message: string };

const ACTIONS = ['start', 'stop', 'restart', 'status'] as const;
export type Action = (typeof ACTIONS)[number];

export interface ControlOptions {
  readonly force?: boolean | undefined;
  /** Seconds. */
  readonly timeout?: number | undefined;
}

/** What a client says of itself is kept, but not at any length. */
const MAX_TEXT = 300;
const MAX_WORDS = 20;
const MAX_WORD = 50;
const shortened = v.nullish(
  v.pipe(
    v.string(),
    v.transform((text) => text.slice(0, MAX_TEXT)),
  ),
);
const words = v.nullish(
  v.pipe(
    v.array(v.string()),
    v.transform((all) => all.slice(0, MAX_WORDS).map((word) => word.slice(0, MAX_WORD))),
  ),
);
const name = v.pipe(v.string(), v.minLength(1, 'expected a name'), v.maxLength(200));

const clientInfo = v.object({
  client_id: name,
  client_type: shortened,
  user_agent: shortened,
  screen_resolution: shortened,
  timezone: shortened,
  language: shortened,
  features: words,
  timestamp: shortened,
});

/** With or without a zone: many languages leave it out where they mean UTC. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?$/;
const msOf = (iso: string): number => Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(iso) ? iso : `${iso}Z`);
const clientTime = v.pipe(
  v.string(),
  v.check((text) => ISO.test(text) && !Number.isNaN(msOf(text)), 'expected ISO 8601, such as 2026-02-06T22:48:44.590Z'),
);

const control = v.object({
  service_id: name,
  action: v.picklist(ACTIONS),
  options: v.nullish(v.object({ force: v.optional(v.boolean()), timeout: v.optional(v.pipe(v.number(), v.minValue(0))) })),
});

const webhook = v.object({
  webhook_type: name,
  url: v.pipe(v.string(), v.url('expected an address, such as https://hooks.example/abc')),
  message: v.string(),
  template_id: v.nullish(name),
  variables: v.nullish(v.record(v.string(), v.unknown())),
});

/** By type: what `data` must be, and the command it makes. */
export const MONITOR_TYPES = {
  client_info: reader(clientInfo, (data): MonitorCommand => {
    const { client_id: clientId, ...info } = data;
    const known = Object.fromEntries(Object.entries(info).filter(([, value]) => value !== undefined && value !== null));
    return { type: 'client_info', announcement: { clientId, info: known }, explicit: data.features?.includes('explicit') ?? false };
  }),
  ping: reader(
    v.object({ client_time: clientTime }),
    (data): MonitorCommand => ({ type: 'ping', clientTime: data.client_time, clientTimeMs: msOf(data.client_time) }),
  ),
  service_control: reader(
    control,
    ({ service_id: serviceId, action, options }): MonitorCommand => ({
      type: 'service_control',
      serviceId,
      action,
      options: options ?? {},
    }),
  ),
  send_webhook: reader(
    webhook,
    ({ webhook_type: webhookType, url, message }): MonitorCommand => ({ type: 'send_webhook', webhookType, url, message }),
  ),
} as const;

interface Reader {
  readonly schema: v.GenericSchema<unknown, { data: unknown }>;
  readonly command: (data: unknown) => MonitorCommand;
}

function reader<Data>(data: v.GenericSchema<unknown, Data>, command: (data: Data) => MonitorCommand): Reader {
  return { schema: v.object({ data }), command: (given) => command(given as Data) };
}

// --- subscribing by type --------------------------------------------------------------------------------------

const MAX_VALUES = 100;
const values = v.nullish(v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(MAX_VALUES)));
const types = v.pipe(v.array(v.pipe(v.string(), v.maxLength(50))), v.minLength(1, 'expected at least one type'), v.maxLength(50));

export const typedSubscribe = v.object({
  data: v.object({
    event_types: types,
    // what their values must be, the channels say
    filters: v.nullish(v.record(v.string(), values)),
  }),
});
export const typedUnsubscribe = v.object({ data: v.object({ event_types: types }) });

export const topicsOfTypes = (eventTypes: readonly string[]): string[] => [...new Set(eventTypes.map(opsTopic))];

/** Filters by name; an empty list does not filter. */
export const filtersOf = (filters: v.InferOutput<typeof typedSubscribe>['data']['filters']): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(filters ?? {}).flatMap(([key, list]) => (list && list.length > 0 ? [[key, list] as const] : [])));

// --- server to client -----------------------------------------------------------------------------------------

export interface ConnectionStatus {
  readonly version: string;
  readonly clientCount: number;
  readonly uptimeSeconds: number;
}

/** What a dashboard may count on. */
const FEATURES = [
  'real_time_metrics',
  'log_streaming',
  'webhook_notifications',
  'posco_integration',
  'recovery',
  'filters',
  'explicit',
] as const;

export function formatConnectionStatus({ version, clientCount, uptimeSeconds }: ConnectionStatus, id: string, nowMs: number): string {
  const timestamp = isoOf(nowMs);
  return JSON.stringify({
    type: 'connection_status',
    data: {
      status: 'connected',
      server_version: version,
      server_time: timestamp,
      client_count: clientCount,
      uptime_seconds: uptimeSeconds,
      features: FEATURES,
    },
    timestamp,
    broadcast_id: `connection_${id}`,
  });
}

export function formatPong({ clientTime, clientTimeMs }: { clientTime: string; clientTimeMs: number }, nowMs: number): string {
  const timestamp = isoOf(nowMs);
  const data = { client_time: clientTime, server_time: timestamp, latency_ms: Math.max(0, Math.floor(nowMs - clientTimeMs)) };
  return JSON.stringify({ type: 'pong', data, timestamp });
}

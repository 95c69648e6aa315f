/** Names that infrastructure and code share. Imports nothing, so that both sides may read it. */

/** Environment variables that the infrastructure sets on functions. */
export const ENV = {
  connectionsTable: 'CONNECTIONS_TABLE',
  subscriptionsTable: 'SUBSCRIPTIONS_TABLE',
  topicsTable: 'TOPICS_TABLE',
  settingsTable: 'SETTINGS_TABLE',
  eventBus: 'EVENT_BUS',
  eventsQueue: 'EVENTS_QUEUE',
  deadEventsQueue: 'DEAD_EVENTS_QUEUE',
  jobsQueue: 'JOBS_QUEUE',
  callbackUrl: 'CALLBACK_URL',
  publishKeySecret: 'PUBLISH_KEY_SECRET',
  bodiesBucket: 'BODIES_BUCKET',
} as const;

/** Settings: environment variables read at synth and passed on to the functions that use them. */
export const SETTING = {
  allowedOrigins: 'ALLOWED_ORIGINS',
  maxMessageBytes: 'MAX_MESSAGE_BYTES',
  maxConnections: 'MAX_CONNECTIONS',
  maxSubscriptions: 'MAX_SUBSCRIPTIONS_PER_CONNECTION',
  maxConnectionsPerClient: 'MAX_CONNECTIONS_PER_CLIENT',
  maxMessagesPerSecond: 'MAX_MESSAGES_PER_SECOND',
  maxBroadcastsPerSecond: 'MAX_BROADCASTS_PER_SECOND',
  idleTimeoutSeconds: 'IDLE_TIMEOUT_SECONDS',
  pingIntervalSeconds: 'PING_INTERVAL_SECONDS',
  staleRealtimeSeconds: 'STALE_REALTIME_SECONDS',
  staleDailyDays: 'STALE_DAILY_DAYS',
  feedDownSeconds: 'FEED_DOWN_SECONDS',
  marketOpen: 'MARKET_OPEN',
  marketClose: 'MARKET_CLOSE',
  marketHolidays: 'MARKET_HOLIDAYS',
  pushMode: 'APP_PUSH_MODE',
  sseSeconds: 'SSE_SECONDS',
  sseMaxStreams: 'SSE_MAX_STREAMS',
  authMode: 'AUTH_MODE',
  anonymousControl: 'ALLOW_ANONYMOUS_CONTROL',
  jwtIssuer: 'JWT_ISSUER',
  jwtAudience: 'JWT_AUDIENCE',
  jwtJwksUri: 'JWT_JWKS_URI',
  jwtUserClaim: 'JWT_USER_CLAIM',
  jwtRolesClaim: 'JWT_ROLES_CLAIM',
  logLevel: 'LOG_LEVEL',
} as const;

/** The bus sources the channels take events from: one rule each. */
export const EVENT_SOURCES = ['market.price', 'ticket.waiting-queue', 'ticket.reservation', 'ops.monitor'] as const;

/** What the bus is told of registrations, for upstreams to listen to. */
export const REGISTRATION_SOURCE = 'push.registration';

/** The transports a deployment offers (`docs/protocol.md`, "Mode"). */
export const PUSH_MODES = ['sse', 'websocket', 'both'] as const;
export type PushMode = (typeof PUSH_MODES)[number];

/** Paths of the event streams: the front door leads them to where streaming is possible. */
export const STREAM_PATHS = ['/api/v1/waiting-queue/subscribe', '/api/reservations/v5/subscribe'] as const;

/** The settings of identity. */
export const IDENTITY_SETTINGS = [
  SETTING.authMode,
  SETTING.anonymousControl,
  SETTING.jwtIssuer,
  SETTING.jwtAudience,
  SETTING.jwtJwksUri,
  SETTING.jwtUserClaim,
  SETTING.jwtRolesClaim,
] as const;

/** The WebSocket stage. Its name is the path, so that a front door needs no rewrite. */
export const SOCKET_STAGE = 'ws';

export const METRIC = {
  namespace: 'RealtimePush',
  liveConnections: 'LiveConnections',
  messagesIn: 'MessagesIn',
  messagesOut: 'MessagesOut',
  errors: 'Errors',
  answerTime: 'AnswerTime',
  connectionDuration: 'ConnectionDuration',
  invalidEvents: 'InvalidEvents',
  eventsAhead: 'EventsAhead',
  quoteGaps: 'QuoteGaps',
  feedDown: 'FeedDown',
} as const;

/** How long one holds the turn on a topic without extending it, in seconds. The queues' visibility is made of it. */
export const TURN_SECONDS = 10;

/** Time-out of the functions that drain, in seconds. */
export const DRAIN_TIMEOUT_SECONDS = 20;

/** A larger message is told by reference: with what stands around it, it must fit into the gateway's 128 KB. */
export const MAX_INLINE_BYTES = 100_000;

/** Attribute of a dead event that says why it died. */
export const REASON_ATTRIBUTE = 'reason';

/** Key of an event's detail under which the publisher's id, time and acceptance travel over the bus. */
export const ACCEPTANCE_KEY = '_accepted';

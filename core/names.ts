/** Names that infrastructure and code share. Imports nothing, so that both sides can read it. */

/** Environment variables that the infrastructure sets on functions. */
export const ENV = {
  connectionsTable: 'CONNECTIONS_TABLE',
  subscriptionsTable: 'SUBSCRIPTIONS_TABLE',
  topicsTable: 'TOPICS_TABLE',
  settingsTable: 'SETTINGS_TABLE',
  eventBus: 'EVENT_BUS',
  eventsQueue: 'EVENTS_QUEUE',
  deadLettersQueue: 'DEAD_LETTERS_QUEUE',
  jobsQueue: 'JOBS_QUEUE',
  callbackUrl: 'CALLBACK_URL',
  publishKeySecret: 'PUBLISH_KEY_SECRET',
  bodiesBucket: 'BODIES_BUCKET_DOMAIN',
  worker: 'WORKER',
  workQueues: 'WORK_QUEUES',
  timeoutSeconds: 'TIMEOUT_SECONDS',
  originKey: 'ORIGIN_KEY',
} as const;

/** The engine's settings, by their environment variable; `core/engine-settings.ts` has their defaults and checks. */
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
  callbackEndpoint: 'CALLBACK_ENDPOINT',
  httpRequestsPerSecond: 'HTTP_REQUESTS_PER_SECOND',
  internalRequestsPerSecond: 'INTERNAL_REQUESTS_PER_SECOND',
  accountConcurrency: 'ACCOUNT_CONCURRENCY',
  frontDoor: 'FRONT_DOOR',
  domainName: 'DOMAIN_NAME',
  certificateArn: 'CERTIFICATE_ARN',
  webAclArn: 'WEB_ACL_ARN',
  alarmTo: 'ALARM_TO',
} as const;

/** Headers between the front door and its origins. `lib/viewer-request.js` spells the last two. */
export const FRONT_DOOR_HEADER = {
  /** Proves that a request came through the front door. */
  originKey: 'x-push-origin-key',
  /** The caller's `Authorization`, where the origin's signature takes that header. */
  authorization: 'x-push-authorization',
  /** The caller's `Host`: an origin gets its own. */
  host: 'x-push-host',
} as const;

/** Source of the events that tell upstreams of registrations. */
export const REGISTRATION_SOURCE = 'push.registration';

/** The transports a deployment offers (`docs/protocol.md`, "Mode"). */
export const PUSH_MODES = ['sse', 'websocket', 'both'] as const;
export type PushMode = (typeof PUSH_MODES)[number];

/** Settings of the functions that identify callers. */
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
export const SOCKET_PATH = `/${SOCKET_STAGE}`;

/** Paths of upstreams and operators. */
export const INTERNAL_PATHS = '/internal/{proxy+}';

/** The engine's metrics; a system's own stand in its `system.ts`. */
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
  handOns: 'HandOns',
  posts: 'Posts',
  /** Bytes of messages on their way to clients: they are billed beside the messages. */
  bytesOut: 'BytesOut',
  refusedConnects: 'RefusedConnects',
} as const;

/** How long a turn on a topic is valid without being extended, in seconds. The queues' visibility timeout includes it. */
export const TURN_SECONDS = 10;

/** Time-out of the functions that drain, in seconds. */
export const DRAIN_TIMEOUT_SECONDS = 20;

/** A larger message is delivered by reference: with its envelope it must fit into the gateway's 128 KB. */
export const MAX_INLINE_BYTES = 100_000;

/** Message attribute of a dead event with the reason. */
export const REASON_ATTRIBUTE = 'reason';

/** Key of an event's detail under which the publisher's id, time and acceptance travel over the bus. */
export const ACCEPTANCE_KEY = '_accepted';

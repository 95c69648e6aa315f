/**
 * A system: everything one business adds to the engine. A fourth system is one folder and one line in
 * `systems/index.ts`; the engine learns nothing of it.
 */
import type { GenericSchema } from 'valibot';
import type { Position } from '../base/position.ts';
import type { ErrorCode, PushError } from '../errors.ts';
import type { Principal } from '../identity.ts';
import type { Announcement } from '../ports/announcements.ts';
import type { Ports } from '../ports/ports.ts';
import type { Setting, Settings } from '../settings.ts';
import type { Channel } from './channel.ts';

export interface System {
  readonly name: string;
  readonly channels: readonly Channel[];
  readonly settings: readonly Setting[];
  /** Problems of its settings taken together, one line each. */
  readonly conflicts?: (settings: Settings) => string[];
  /** Its metrics, each with what it counts. */
  readonly metrics: Readonly<Record<string, string>>;
  /** When somebody must be told, by the alarm's name; `docs/operate.md` has a section for each. */
  readonly alarms: Readonly<Record<string, SystemAlarm>>;
  readonly routes: readonly Route<SystemPorts>[];
  /** Messages that its clients send, by type. */
  readonly messages: Readonly<Record<string, ClientMessage>>;
  /** Runs once a minute, apart from other systems'. May deliver again. */
  readonly everyMinute?: (ports: MinutePorts) => Promise<void>;
  /** Handlers of work that takes time or may fail, by a name of their own; each has a queue. */
  readonly workers: Readonly<Record<string, Worker>>;
  /** Modules that export `FILES`, and are replaced in the bundles by the JSON files of the folder that a setting names. By the setting. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Its part of `GET /api/health`. */
  readonly health?: (ports: SystemPorts) => Promise<object>;
}

/** An alarm on a metric that the system's look once a minute counts. */
export interface SystemAlarm {
  readonly metric: string;
  /** The trouble, as its reader is told. */
  readonly says: string;
  readonly statistic: 'Sum' | 'Maximum';
  /** A minute is bad at this value and above. */
  readonly threshold: number;
  /** Minutes that are looked at, and how many of them must be bad. */
  readonly minutes: number;
  readonly badMinutes: number;
}

/** Lists of a system are empty by default. */
export const defineSystem = (form: Pick<System, 'name'> & Partial<System>): System => ({
  channels: [],
  settings: [],
  metrics: {},
  alarms: {},
  routes: [],
  messages: {},
  workers: {},
  ...form,
});

/** Ports for a system's code: the functions that serve it are granted just these. */
export interface SystemPorts extends Pick<Ports, 'clock' | 'report'> {
  readonly topics: Pick<Ports['topics'], 'read'>;
  readonly catalogue: Pick<Ports['catalogue'], 'topics' | 'names' | 'status'>;
  readonly settings: Settings;
}

export interface MinutePorts extends SystemPorts, Pick<Ports, 'jobs'> {
  readonly catalogue: Pick<Ports['catalogue'], 'topics' | 'names' | 'status' | 'saveStatus'>;
}

/** Ports for a worker. Those that it does not name in `uses` throw. */
export interface WorkerPorts extends Omit<SystemPorts, 'catalogue'>, Pick<Ports, 'lanes' | 'newId' | 'work'> {}

/** `topic` reads one topic at a time, `bus` and `direct` are lanes that it publishes to, `work` puts work for itself, such as another try. */
export type WorkerUse = 'topic' | 'bus' | 'direct' | 'work';

export interface Worker {
  /** Its function is granted just these. */
  readonly uses: readonly WorkerUse[];
  /** Its work holds secrets, and is never logged. @default false */
  readonly isSecret?: true;
  /** Time for one batch of work. Work that takes longer is tried again. */
  readonly timeoutSeconds: number;
  /**
   * Does one piece of work. Throws if it must come back; after 100 tries it goes to the dead-letter queue. A PoisonError sends
   * it there at once.
   */
  serve(work: unknown, ports: WorkerPorts): Promise<void>;
}

// --- REST -----------------------------------------------------------------------------------------------------

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly apiKey: string | null;
  /** Of `Authorization: Bearer`. */
  readonly token: string | null;
  readonly lastEventId: string | null;
  readonly body: string;
}

/** A request that was matched to its route. */
export interface RouteRequest extends RestRequest {
  /** Of the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  /** `null` on an open route. */
  readonly principal: Principal | null;
}

export interface RestReply {
  readonly status: number;
  /** JSON, an event stream's text, or nothing. */
  readonly body: object | string | null;
  /** The topic's head at this moment: a subscription since then lacks nothing. @default the reply is of no topic */
  readonly position?: Position;
}

export interface Route<RoutePorts> {
  readonly method: string;
  /** Parameters stand in braces, each a whole segment: `/api/orders/{orderId}`. */
  readonly path: string;
  /** A longer body is refused, in bytes. @default 10,000 */
  readonly maxBodyBytes?: number;
  /** Its description for callers, called only when the API's document is made, with the deployment's channels. @default nothing but its path */
  readonly doc?: (channels: readonly Channel[]) => RouteDoc;
  /** Served without a token, or by a key of its own. @default false: callers need a token if the deployment asks for one */
  readonly open?: true;
  serve(request: RouteRequest, ports: RoutePorts): Promise<RestReply>;
}

/** A route for its callers. */
export interface RouteDoc {
  readonly summary: string;
  /** Of the path and the query, by name. Those of the path are required. */
  readonly parameters?: Readonly<Record<string, ParameterDoc>>;
  /** The schema of a JSON body. @default it takes none */
  readonly body?: GenericSchema;
  /** Of a body. */
  readonly example?: object;
  /** The body may be left out. */
  readonly bodyIsOptional?: true;
  /** A JSON body's schema, an event stream, or `null` = nothing. */
  readonly answer: GenericSchema | 'event stream' | null;
  /** @default 200 */
  readonly status?: 200 | 202 | 204;
  /** Beside those that every route has. */
  readonly errors?: readonly ErrorCode[];
  /** Callers prove who they are by this. @default a token, if the deployment asks for one; nothing on an open route */
  readonly identity?: 'key' | 'token';
}

export interface ParameterDoc {
  readonly says: string;
  readonly schema: GenericSchema;
  readonly required?: true;
}

/** `200` with a body, and where the topic that was read stands. */
export const ok = (body: object | string, position?: Position): RestReply => ({ status: 200, body, ...(position ? { position } : {}) });

// --- messages of clients --------------------------------------------------------------------------------------

/** A message type of JSON clients, in the envelope `{"type","data"}`. */
export interface ClientMessage {
  /** Of the whole message. */
  readonly schema: GenericSchema;
  /** Topics that the message asks to subscribe to; they count against the connection's limit. @default none */
  readonly topics?: (message: unknown) => readonly string[];
  /** `message` is what the schema returned. */
  serve(message: unknown, session: ClientSession): Promise<void>;
}

/** A message type with a typed message. All of them share the pace `MAX_MESSAGES_PER_SECOND`. */
export const clientMessage = <Data>(
  schema: GenericSchema<unknown, Data>,
  serve: (message: Data, session: ClientSession) => Promise<void>,
  topics?: (message: Data) => readonly string[],
): ClientMessage => ({
  schema,
  serve: (message, session) => serve(message as Data, session),
  ...(topics ? { topics: (message) => topics(message as Data) } : {}),
});

/** A handler's means to serve its client. */
export interface ClientSession {
  readonly principal: Principal | null;
  readonly ports: SystemPorts & Pick<Ports, 'newId' | 'work'> & { readonly connections: Pick<Ports['connections'], 'counted'> };
  /** Whether the client may act with this role; without identity only if the deployment allows it. */
  mayAct(role: string): boolean;
  reply(text: string): Promise<void>;
  /** Answers each topic with `subscribed`, then delivers its state or replay. Throws one error that lists the topics that could not be. */
  subscribe(request: SubscribeRequest): Promise<void>;
  /** Whether a subscription of the client's own brings it a message with this payload. */
  hears(topic: string, payload: object): Promise<boolean>;
  /** Subscribes the client to a topic of an internal channel, from now on. It is not told of that. `filter`: `null` = everything. */
  listen(topic: string, filter: readonly string[] | null): Promise<void>;
  /** Answers each topic with `unsubscribed`. Throws one error that lists unknown topics. */
  unsubscribe(request: Pick<SubscribeRequest, 'topics' | 'choosesFrom' | 'unknown'>): Promise<void>;
  /**
   * Stores what the client says of itself, counts its connection under its client id, and subscribes it to the default
   * topics without being asked, unless it has chosen before. `answer` is sent before anything else is delivered.
   */
  announce(announcement: Announcement, defaults: Defaults, answer: () => Promise<string>): Promise<void>;
}

export interface Defaults {
  readonly topics: readonly string[];
  /** The client wants no default subscriptions. */
  readonly explicit: boolean;
}

export interface SubscribeRequest {
  readonly topics: readonly string[];
  /** By topic. */
  readonly since: ReadonlyMap<string, Position>;
  /** Of each log topic the newest so many first; `null` = not asked for. */
  readonly last: number | null;
  /** Values by the filter's name. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** The client chooses among these default topics: those it got by default and does not name here end. */
  readonly choosesFrom: readonly string[];
  /** The error about topics that no channel has. */
  readonly unknown: (topics: readonly string[]) => PushError;
}

/** The library's interface: what a program gives, and what it gets. */
import type { Address } from './addresses.ts';
import type { Emitter } from './emitter.ts';
import type { Env } from './env.ts';
import type { ClientError } from './errors.ts';
import type { Gap, Wire } from './follower.ts';
import type { MessageOf } from './messages.ts';
import type { RequestOptions } from './requests.ts';
import type { Status } from './status.ts';
import type { TokenOption } from './token.ts';

export interface ClientOptions {
  /** `http://localhost:8000`, `wss://host/ws`, or the addresses of a deployment without a front door. */
  readonly url: Address;
  /** A token, or a function that gets one: it is asked at each attempt to connect, and before the token runs out. @default none */
  readonly token?: TokenOption;
  /** The transports that may be used. @default both: event streams where WebSockets are blocked */
  readonly transports?: readonly ('websocket' | 'sse')[];
  /**
   * Sent as `client_info` on each connection: the server counts and limits connections by
   * `client_id`. It costs two messages and some writes each time. @default nothing
   */
  readonly info?: ClientInfo;
  /**
   * After so much silence the server is asked for a sign of life, in ms. Less finds a dead network sooner, and costs two
   * messages each time. @default 360,000: the server's own pings are enough
   */
  readonly silence?: number;
  /** Replaces what the library takes of its surroundings, such as `WebSocket` on Node 20. */
  readonly env?: Partial<Env>;
}

export interface ClientInfo {
  readonly client_id: string;
  readonly client_type?: string;
  readonly [field: string]: unknown;
}

/** An `error` that nobody listens to is printed. */
export interface ClientEvents {
  status: Status;
  error: ClientError;
}

/** Of a topic: `pending` until the server has answered, `recovering` until what was missed has come, `denied` if it may not be had. */
export type HandleStatus = 'pending' | 'live' | 'recovering' | 'denied' | 'closed';

export interface Handle {
  readonly topic: string;
  readonly status: HandleStatus;
  /** Of the last message that was handed over; `null` = none was. Good as `since`, on any transport. */
  readonly position: string | null;
  /** Ends the subscription at once: nothing more is handed over. */
  close(): void;
}

export interface WatchOptions {
  readonly signal?: AbortSignal;
}

export interface FollowOptions extends WatchOptions {
  /** Start after this position. */
  readonly since?: string | null;
  /** Start with the newest so many, 1 to 1,000. Not together with `since`. */
  readonly last?: number;
  /** Only these, such as `{ alert_levels: ['critical'] }`. */
  readonly filter?: Readonly<Record<string, readonly string[]>>;
  /** Messages that may wait for a slow handler; after that the server keeps them. @default 1,000 */
  readonly limit?: number;
  /** Messages are missing: the position is too old, or the topic was made anew. */
  readonly onGap?: (gap: Gap) => void;
  /** The connection was lost and is back, and nothing is missing since that position. */
  readonly onRecovered?: (since: string) => void;
}

export type Handler<Topic extends string> = (message: MessageOf<Topic>) => unknown;

export interface Client {
  readonly status: Status;
  /** The transport in use; `null` = none. */
  readonly transport: 'websocket' | 'sse' | null;
  /** Connects, and stays connected until `close`. Subscriptions may be made before. */
  start(): void;
  /** Ends the connection at once, until `start`; subscriptions stay, `for await` loops end. */
  close(): void;
  /** Adds a listener. Returns a function that removes it. */
  readonly on: Emitter<ClientEvents>['on'];
  /** A state topic: the newest message, at once and whenever it changes. Messages in between may be skipped. */
  watch<Topic extends string>(topic: Topic, handler: Handler<Topic>, options?: WatchOptions): Handle;
  /** A log topic: every message once, in order. The next is handed over when the handler, if it returns a promise, is done. */
  follow<Topic extends string>(topic: Topic, handler: Handler<Topic>, options?: FollowOptions): Handle;
  /** The same for `for await`. */
  follow<Topic extends string>(topic: Topic, options?: FollowOptions): Handle & AsyncIterableIterator<MessageOf<Topic>>;
  /** Sends a message and resolves with its answer. Rejects with a ClientError; nothing is sent later. */
  request(message: { readonly type: string; readonly data?: object }, options?: RequestOptions): Promise<Wire>;
}

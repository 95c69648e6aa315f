/** The connection as the rest of the library sees it. */
import type { Addresses } from './addresses.ts';
import type { Env } from './env.ts';
import type { ClientError } from './errors.ts';
import type { Requests } from './requests.ts';
import type { Socket } from './socket.ts';
import type { Status } from './status.ts';
import type { TokenSource } from './token.ts';
import type { Topic, Topics } from './topics.ts';

export interface ConnectionForm {
  readonly addresses: Addresses;
  readonly transports: readonly ('websocket' | 'sse')[];
  readonly tokens: TokenSource;
  readonly topics: Topics;
  readonly requests: Requests;
  readonly env: Env;
  readonly silenceMs: number;
  /** Sent as `client_info` on each connection; `null` = nothing is. */
  readonly info: object | null;
  status(status: Status): void;
  failed(error: ClientError): void;
  changed(topic: Topic): void;
}

export interface Connection {
  readonly status: Status;
  /** The reason of `denied`. */
  readonly denial: ClientError | null;
  readonly socket: Socket | null;
  /** Everything of the topic up to now has come. */
  caughtUp(topic: string): boolean;
  readonly transport: 'websocket' | 'sse' | null;
  start(): void;
  close(): void;
  /** Asks the server for what is wanted now. */
  sync(): void;
}

/** The client library of realtime-push: connects, subscribes, comes back, and misses nothing (`docs/client.md`). */
export type { Address } from './addresses.ts';
export { createClient } from './client.ts';
export type { Env, PageEvent, SocketClass, SocketLike } from './env.ts';
export { ClientError } from './errors.ts';
export type { Gap, Wire } from './follower.ts';
export type * from './messages.ts';
export type {
  Client,
  ClientEvents,
  ClientInfo,
  ClientOptions,
  FollowOptions,
  Handle,
  Handler,
  HandleStatus,
  WatchOptions,
} from './options.ts';
export type { RequestOptions } from './requests.ts';
export type { Status } from './status.ts';
export type { Token, TokenOption } from './token.ts';
export { type ConnectionStatus, type HistoryEntry, WebSocketManager } from './web-socket-manager.ts';

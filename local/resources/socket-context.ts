/** The parts that the handshake, the peers and `@connections` of a WebSocket API share. */
import { randomUUID } from 'node:crypto';
import type { LocalClock } from '../base/clock.ts';
import type { Levers } from '../base/levers.ts';
import type { LocalFunction } from './function.ts';

export interface SocketApiOptions {
  readonly apiId: string;
  readonly stage: string;
  readonly routes: { readonly connect: LocalFunction; readonly message: LocalFunction; readonly disconnect: LocalFunction };
  readonly clock: LocalClock;
  readonly levers: Levers;
  /** Takes a request from the account's quota; false if it is spent. */
  readonly admit: () => boolean;
  /** Adds a value to one of the platform's metrics. */
  readonly measure: (metric: string, value: number) => void;
  readonly warn: (message: string) => void;
}

/** The platform's limit on a message, inbound or posted. */
export const MAX_MESSAGE_BYTES = 128 * 1024;

/** One client, from the start of its handshake. */
export interface Caller {
  readonly id: string;
  /** In ms since 1970. */
  readonly connectedAt: number;
  readonly identity: { readonly sourceIp: string; readonly userAgent: string };
  /** The `Host` header of its handshake. */
  readonly host: string;
}

/** The `requestContext` of an event. `fields` are added, and replace defaults of the same name. */
export function contextOf<Fields extends object>({ apiId, stage, clock }: SocketApiOptions, caller: Caller, fields: Fields) {
  const requestId = randomUUID();
  const now = clock.now();
  return {
    requestId,
    extendedRequestId: requestId,
    requestTime: new Date(now).toISOString(),
    requestTimeEpoch: now,
    messageDirection: 'IN',
    stage,
    connectedAt: caller.connectedAt,
    identity: caller.identity,
    domainName: caller.host,
    connectionId: caller.id,
    apiId,
    ...fields,
  };
}

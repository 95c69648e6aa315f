/** The JSON dialect, server to client (`docs/protocol.md`). */
import { formatPosition, type Position } from '../base/position.ts';
import { isoOf } from '../base/time.ts';
import type { PushError } from '../errors.ts';

/** A topic's message with its position; without one if it is a repeat. */
export const jsonMessage = (message: object, position?: Position): object =>
  position ? { ...message, position: formatPosition(position.epoch, position.offset) } : message;

export const formatJson = (message: object, position?: Position): string => JSON.stringify(jsonMessage(message, position));

/** Every reply has the envelope of the operations monitor too: its clients read `data` and `timestamp` of any message. */
const enveloped = (message: object, nowMs: number): string => JSON.stringify({ ...message, data: {}, timestamp: isoOf(nowMs) });

/** `expiresInMs`: how long the caller's token is good for; `null` = for good, or there is none. */
export const formatConnected = (clientId: string, expiresInMs: number | null, nowMs: number): string =>
  enveloped({ type: 'connected', client_id: clientId, message: 'WebSocket connection established', ...expiry(expiresInMs) }, nowMs);

/** In seconds, and as a duration: clients' clocks are wrong. */
const expiry = (expiresInMs: number | null): object => (expiresInMs === null ? {} : { expires_in: Math.floor(expiresInMs / 1000) });

export interface Subscribed {
  readonly topic: string;
  readonly head: Position;
  /** A replay follows that begins after this, and not after a position of the client. `null` = there is none. */
  readonly from: Position | null;
  /** The answer to a `since`; `null` = there was none. */
  readonly recovered: boolean | null;
  /** The address of the topic's event stream; `null` = it has none here. */
  readonly stream: string | null;
}

export const formatSubscribed = ({ topic, head, from, recovered, stream }: Subscribed, nowMs: number): string =>
  enveloped(
    {
      type: 'subscribed',
      topic,
      message: `Subscribed to ${topic}`,
      position: formatPosition(head.epoch, head.offset),
      ...(from === null ? {} : { from: formatPosition(from.epoch, from.offset) }),
      ...(recovered === null ? {} : { recovered }),
      ...(stream === null ? {} : { stream }),
    },
    nowMs,
  );

/** `reason`: why a subscription ended that the client did not end. */
export const formatUnsubscribed = (topic: string, nowMs: number, reason?: string): string =>
  enveloped({ type: 'unsubscribed', topic, message: `Unsubscribed from ${topic}`, ...(reason === undefined ? {} : { reason }) }, nowMs);

/** `expiresInMs`: how long the token is good for; `null` = for good. */
export const formatRefreshed = (expiresInMs: number | null, nowMs: number): string =>
  enveloped({ type: 'refreshed', ...expiry(expiresInMs) }, nowMs);

/** The client should come back after `afterMs`, at a random moment of `withinMs`. */
export const formatReconnect = (afterMs: number, withinMs: number, nowMs: number): string =>
  enveloped({ type: 'reconnect', after_ms: afterMs, within_ms: withinMs }, nowMs);

export const formatPing = (nowMs: number): string => enveloped({ type: 'ping' }, nowMs);

export function formatError(error: PushError, nowMs: number): string {
  const timestamp = isoOf(nowMs);
  return JSON.stringify({
    type: 'error',
    data: { error_code: error.code, error_message: error.message, details: error.details, timestamp },
    timestamp,
  });
}

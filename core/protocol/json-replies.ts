/** The JSON dialect, server to client (`docs/protocol.md`). */
import { formatPosition, type Position } from '../base/position.ts';
import { isoOf } from '../base/time.ts';
import type { PushError } from '../errors.ts';

/** A topic's message with its position; without one if it is a repeat. */
export const formatJson = (message: object, position?: Position): string =>
  JSON.stringify(position ? { ...message, position: formatPosition(position.epoch, position.offset) } : message);

/** Every reply has the envelope of the operations monitor too: its clients read `data` and `timestamp` of any message. */
const enveloped = (message: object, nowMs: number): string => JSON.stringify({ ...message, data: {}, timestamp: isoOf(nowMs) });

export const formatConnected = (clientId: string, nowMs: number): string =>
  enveloped({ type: 'connected', client_id: clientId, message: 'WebSocket connection established' }, nowMs);

/** `recovered` only answers a `since`. */
export const formatSubscribed = (topic: string, head: Position, recovered: boolean | null, nowMs: number): string =>
  enveloped(
    {
      type: 'subscribed',
      topic,
      message: `Subscribed to ${topic}`,
      position: formatPosition(head.epoch, head.offset),
      ...(recovered === null ? {} : { recovered }),
    },
    nowMs,
  );

export const formatUnsubscribed = (topic: string, nowMs: number): string =>
  enveloped({ type: 'unsubscribed', topic, message: `Unsubscribed from ${topic}` }, nowMs);

export const formatPing = (nowMs: number): string => enveloped({ type: 'ping' }, nowMs);

export function formatError(error: PushError, nowMs: number): string {
  const timestamp = isoOf(nowMs);
  return JSON.stringify({
    type: 'error',
    data: { error_code: error.code, error_message: error.message, details: error.details, timestamp },
    timestamp,
  });
}

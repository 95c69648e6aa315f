/** Responses over HTTP: JSON, errors, event streams. */
import { createHash } from 'node:crypto';
import { formatPosition } from '../../core/base/position.ts';
import type { RestReply } from '../../core/channels/system.ts';
import { HTTP_STATUS, MethodError, type PushError, UnavailableError } from '../../core/errors.ts';

export interface HttpReply {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Header with the position of the topic that was read. */
export const POSITION_HEADER = 'push-position';

const NOT_CACHED = { 'cache-control': 'no-store' } as const;

/** Neither kept by a cache nor rewritten or held back by a proxy. */
export const EVENT_STREAM: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

const jsonReply = (statusCode: number, body: object, headers: Readonly<Record<string, string>>): HttpReply => ({
  statusCode,
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
  body: JSON.stringify(body),
});

/** A failure, with the one form of error body. `503` = it may succeed a little later. */
export const errorAnswer = (error: PushError): HttpReply =>
  jsonReply(
    error instanceof UnavailableError ? 503 : HTTP_STATUS[error.code],
    { error_code: error.code, error_message: error.message, details: error.details },
    { ...NOT_CACHED, ...(error instanceof MethodError ? { allow: error.allowed.join(', ') } : {}) },
  );

/** Whether the caller has what an ETag stands for, by its `If-None-Match` header. */
export const isKnown = (etag: string, ifNoneMatch: string | null): boolean =>
  ifNoneMatch === '*' || (ifNoneMatch ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag);

/**
 * Adds an ETag over the content. With `no-cache` a cache may keep the response but must ask every time, so that none serves
 * an old reply; an unchanged one costs a 304 without body.
 */
export function answerOf({ status, body, position }: RestReply, ifNoneMatch: string | null): HttpReply {
  if (body === null) return { statusCode: status, headers: NOT_CACHED };
  if (typeof body === 'string') return { statusCode: status, headers: EVENT_STREAM, body };
  if (status !== 200) return jsonReply(status, body, NOT_CACHED);
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 27)}"`;
  const headers = {
    etag,
    'cache-control': 'no-cache',
    ...(position ? { [POSITION_HEADER]: formatPosition(position.epoch, position.offset) } : {}),
  };
  return isKnown(etag, ifNoneMatch) ? { statusCode: 304, headers } : jsonReply(200, body, headers);
}

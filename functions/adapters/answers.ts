import { createHash } from 'node:crypto';
import type { RestReply } from '../../core/rest.ts';
import { type HttpReply, jsonReply } from '../middleware/error-reply.ts';

/**
 * Answers with an ETag over the content. `no-cache` lets a cache keep the answer but makes it ask every time, so
 * that none ever serves an old price; what has not changed costs a 304 without body.
 */
export function answerOf({ status, body }: RestReply, ifNoneMatch: string | null): HttpReply {
  if (body === null) return { statusCode: status, headers: { 'cache-control': 'no-store' } };
  if (typeof body === 'string') return { statusCode: status, headers: EVENT_STREAM, body };
  if (status !== 200) return jsonReply(status, body, { 'cache-control': 'no-store' });
  const etag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 27)}"`;
  const headers = { etag, 'cache-control': 'no-cache' };
  const matches = ifNoneMatch === '*' || (ifNoneMatch ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  return matches ? { statusCode: 304, headers } : jsonReply(200, body, headers);
}

/** Neither kept by a cache nor rewritten or held back by a proxy. */
export const EVENT_STREAM: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

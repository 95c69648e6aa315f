/** CORS by `ALLOWED_ORIGINS`. The gateway's own knows no schemes of apps, and not the deployment's own address. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { originAllowed } from '../../core/base/origin.ts';
import { headerOf, hostOf } from './events.ts';
import { type HttpReply, POSITION_HEADER } from './http-reply.ts';

type Asked = Pick<APIGatewayProxyEventV2, 'headers'> & { readonly requestContext: { readonly http: { readonly method: string } } };

/** A browser asks again after so many seconds. */
const REMEMBERED_SECONDS = 7_200;

/** Headers that let a page of the caller's origin read the response; none if it may not. */
export function corsHeaders(event: Asked, allowed: string): Record<string, string> {
  const origin = headerOf(event, 'origin');
  if (origin === null || !originAllowed(origin, allowed, hostOf(event))) return {};
  // a cache must not give one origin's response to another
  return {
    'access-control-allow-origin': allowed === '*' ? '*' : origin,
    'access-control-expose-headers': `etag,${POSITION_HEADER}`,
    ...(allowed === '*' ? {} : { vary: 'origin' }),
  };
}

/** The answer to a browser that asks whether it may send a request; `null` if this is none. */
export function preflight(event: Asked, allowed: string): HttpReply | null {
  if (event.requestContext.http.method !== 'OPTIONS') return null;
  const headers = corsHeaders(event, allowed);
  const granted = {
    'access-control-allow-methods': 'GET,HEAD,POST,DELETE,OPTIONS',
    'access-control-allow-headers': 'authorization,cache-control,content-type,if-none-match,last-event-id,x-api-key',
    'access-control-max-age': String(REMEMBERED_SECONDS),
  };
  return { statusCode: 204, headers: Object.keys(headers).length > 0 ? { ...headers, ...granted } : {} };
}

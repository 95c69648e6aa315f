/** A request on its way from a viewer to an origin, as CloudFront changes it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { headerPairs } from '../base/head.ts';
import type { Behavior } from './distribution.ts';
import { isResponse } from './viewer-function.ts';

/** An answer of the front door's own. */
export interface OwnAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Changes the request's headers to those that the origin gets. Returns an answer if the request gets no further. */
export function toOrigin(request: IncomingMessage, behavior: Behavior): OwnAnswer | null {
  const { origin, viewerRequest, methods, passesHost } = behavior;
  if (!methods.includes(request.method ?? ''))
    return { status: 403, headers: { 'content-type': 'text/html' }, body: 'This distribution is not configured to allow this method.' };
  const seen = viewerRequest?.(request) ?? null;
  if (seen !== null && isResponse(seen)) {
    const headers = Object.fromEntries(Object.entries(seen.headers ?? {}).map(([name, { value }]) => [name, value]));
    return { status: seen.statusCode, headers, body: seen.body ?? '' };
  }
  const forwarded = [request.headers['x-forwarded-for'], request.socket.remoteAddress].filter(Boolean).join(', ');
  const own: Readonly<Record<string, string>> = {
    ...(passesHost ? {} : { host: origin.domain }),
    'x-forwarded-for': forwarded,
    via: '1.1 local (CloudFront)',
    ...(origin.signs ? { authorization: SIGNATURE } : {}),
    ...origin.headers,
  };
  const pairs = seen === null ? headerPairs(request.rawHeaders) : Object.entries(seen);
  const others = pairs.filter(([name]) => !Object.hasOwn(own, name.toLowerCase()));
  const headers = seen ?? request.headers;
  request.rawHeaders = [...others, ...Object.entries(own)].flat();
  request.headers = { ...headers, ...own };
  return null;
}

/** Stands for the signature by which an origin knows the distribution. */
const SIGNATURE = 'AWS4-HMAC-SHA256 Credential=local/front-door';

/** Sets the headers that the distribution adds to every response. */
export function addHeaders(response: ServerResponse, { responseHeaders }: Behavior): void {
  for (const [name, value] of Object.entries(responseHeaders)) response.setHeader(name, value);
}

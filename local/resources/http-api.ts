/** `AWS::ApiGatewayV2::Api` (HTTP): routes, payload format 2.0. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LocalClock } from '../base/clock.ts';
import { isHeadTooLong } from '../base/head.ts';
import { type Quota, tokenBucket } from '../base/token-bucket.ts';
import { urlOf } from '../base/url.ts';
import { ThrottledError } from './executions.ts';
import type { LocalFunction } from './function.ts';

/** The platform's limit. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;

export interface HttpApiOptions {
  readonly apiId: string;
  /** Of the stage; `null` = none. */
  readonly throttle: Quota | null;
  /** Of single routes, by their key. */
  readonly routeThrottles: ReadonlyMap<string, Quota>;
  /** Takes a request from the account's quota; false if it is spent. */
  readonly admit: () => boolean;
  /** By route key, such as `GET /api/{proxy+}`. */
  readonly routes: ReadonlyMap<string, LocalFunction>;
  readonly clock: LocalClock;
  /** Adds a value to one of the platform's metrics. */
  readonly measure: (metric: string, value: number) => void;
  readonly warn: (message: string) => void;
}

export interface LocalHttpApi {
  /** False if no route matches the request. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
  /** From now on requests get 503. */
  refuse(): void;
  /** Number of requests without complete response. */
  serving(): number;
}

interface HttpAnswer {
  readonly statusCode?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** The addresses that a request has come from, as the platform passes them on. */
export const forwardedFor = ({ headers, socket }: IncomingMessage): string =>
  [headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', ');

export function localHttpApi({ apiId, routes, throttle, routeThrottles, admit, clock, warn, measure }: HttpApiOptions): LocalHttpApi {
  // `$default` takes what no other route does
  const table = [...routes]
    .sort(([one], [other]) => Number(one === '$default') - Number(other === '$default'))
    .map(([key, fn]) => {
      const [method = '', path = ''] = key.split(' ');
      const pattern = path
        .split('/')
        .map((segment) =>
          /^\{.+\+\}$/.test(segment) ? '.+' : /^\{.+\}$/.test(segment) ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
        );
      return key === '$default'
        ? { key, method: 'ANY', pattern: /^/, fn }
        : { key, method, pattern: new RegExp(`^${pattern.join('/')}$`), fn };
    });
  const admitToStage = throttle === null ? () => true : tokenBucket(throttle, clock.now);
  // a route with its own throttle takes nothing from the stage's
  const admitTo = new Map([...routeThrottles].map(([key, quota]) => [key, tokenBucket(quota, clock.now)]));

  const serving = new Set<ServerResponse>();
  let refusing = false;

  const respond = async (
    fn: LocalFunction,
    routeKey: string,
    request: IncomingMessage,
    url: URL,
    response: ServerResponse,
  ): Promise<void> => {
    const body = await readBody(request);
    if (body === null) return send(response, 413, {}, JSON.stringify({ message: 'Request Entity Too Large' }));
    const event = eventOf(request, url, body, routeKey, apiId, clock.now());
    try {
      const { statusCode = 200, headers: own = {}, body: text = '', isBase64Encoded } = ((await fn.invoke(event)) ?? {}) as HttpAnswer;
      send(response, statusCode, own, isBase64Encoded ? Buffer.from(text, 'base64') : text);
    } catch (error) {
      warn(`${fn.name}: ${error instanceof Error ? error.message : String(error)}`);
      if (error instanceof ThrottledError) send(response, 503, {}, JSON.stringify({ message: 'Service Unavailable' }));
      else send(response, 500, {}, JSON.stringify({ message: 'Internal Server Error' }));
    }
  };

  return {
    serve(request, response) {
      const url = urlOf(request);
      const startedMs = Date.now();
      // the API's own clock
      response.setHeader('date', new Date(clock.now()).toUTCString());
      response.once('finish', () => {
        measure('Count', 1);
        measure('4xx', response.statusCode >= 400 && response.statusCode < 500 ? 1 : 0);
        measure('5xx', response.statusCode >= 500 ? 1 : 0);
        measure('Latency', Date.now() - startedMs);
      });
      const here = table.filter(({ pattern }) => pattern.test(url.pathname));
      if (here.length === 0) return false;
      if (isHeadTooLong(request)) {
        send(response, 431, {}, JSON.stringify({ message: 'Request Header Fields Too Large' }));
        return true;
      }
      if (refusing) {
        send(response, 503, { connection: 'close' }, JSON.stringify({ message: 'Service Unavailable' }));
        return true;
      }
      const route = here.find(({ method }) => method === request.method || method === 'ANY');
      if (!route) return false;
      const admitted = (admitTo.get(route.key) ?? admitToStage)();
      if (!admitted || !admit()) {
        send(response, 429, {}, JSON.stringify({ message: 'Too Many Requests' }));
        return true;
      }
      serving.add(response);
      response.once('close', () => serving.delete(response));
      // the client may leave before its request is complete
      respond(route.fn, route.key, request, url, response).catch(() => response.destroy());
      return true;
    },
    refuse() {
      refusing = true;
    },
    serving: () => serving.size,
  };
}

/** Bodies of other types reach the function in base 64. */
const TEXT = /^$|^\s*(text\/|application\/(json|javascript|xml|[\w.-]+\+(json|xml)))/i;

/** The event of a request in payload format 2.0, which HTTP APIs and function URLs use. */
export function eventOf(request: IncomingMessage, url: URL, body: Buffer, routeKey: string, apiId: string, nowMs: number) {
  const headers: Record<string, string> = {
    ...Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    'x-forwarded-for': forwardedFor(request),
  };
  const isText = TEXT.test(headers['content-type'] ?? '');
  return {
    version: '2.0',
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    ...(url.search.length > 1 ? { queryStringParameters: queryOf(url) } : {}),
    requestContext: {
      accountId: '000000000000',
      apiId,
      domainName: headers['host'] ?? '',
      http: {
        method: request.method ?? 'GET',
        path: url.pathname,
        protocol: 'HTTP/1.1',
        sourceIp: request.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: new Date(nowMs).toISOString(),
      timeEpoch: nowMs,
    },
    ...(body.length > 0 ? { body: body.toString(isText ? 'utf8' : 'base64') } : {}),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/** The parameters of a query as the platform passes them on: it joins the values of a repeated one. */
export const queryOf = ({ searchParams }: URL): Record<string, string> =>
  Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name).join(',')]));

/** The body; `null` if it is too long. Rejects if the client leaves before its end. */
export function readBody(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    });
    request.on('end', () => resolve(bytes > MAX_BODY_BYTES ? null : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, body: string | Buffer): void {
  const bare = status === 204 || status === 304;
  response.writeHead(status, {
    ...(bare || headers['content-type'] ? {} : { 'content-type': 'application/json' }),
    ...headers,
    ...(bare ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
  });
  response.end(bare ? undefined : body);
}

/** `AWS::CloudFront::Function` at a viewer's request: the template's own code, run on an event of CloudFront's form. */
import type { IncomingMessage } from 'node:http';
import { runInNewContext } from 'node:vm';
import { urlOf } from '../base/url.ts';

type Values = Record<string, { readonly value: string }>;

export interface ViewerResponse {
  readonly statusCode: number;
  readonly headers?: Values;
  readonly body?: string;
}

interface ViewerRequest {
  readonly method: string;
  readonly headers: Values;
}

/** The headers of the request as the function changed them, or its answer. */
export type ViewerFunction = (request: IncomingMessage) => Record<string, string> | ViewerResponse;

export const isResponse = (result: Record<string, string> | ViewerResponse): result is ViewerResponse =>
  typeof result['statusCode'] === 'number';

export function viewerFunction(code: string): ViewerFunction {
  const handler = runInNewContext(`${code}\n;handler`) as (event: object) => ViewerRequest | ViewerResponse;
  return (request) => {
    const url = urlOf(request);
    const result = handler({
      version: '1.0',
      context: { eventType: 'viewer-request' },
      viewer: { ip: request.socket.remoteAddress ?? '' },
      request: {
        method: request.method ?? 'GET',
        uri: url.pathname,
        querystring: Object.fromEntries([...url.searchParams].map(([name, value]) => [name, { value }])),
        headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, { value: String(value) }])),
        cookies: {},
      },
    });
    if ('statusCode' in result) return result;
    return Object.fromEntries(Object.entries(result.headers).map(([name, { value }]) => [name, value]));
  };
}

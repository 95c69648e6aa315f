import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { MethodError, PushError } from '../core/errors.ts';
import { originKey } from './adapters/env.ts';
import { headerOf } from './adapters/events.ts';
import { type HttpReply, isKnown } from './adapters/http-reply.ts';
import { telemetry as makeTelemetry, type Telemetry } from './adapters/report.ts';
import { errorReply } from './middleware/error-reply.ts';
import { withInvocation } from './middleware/invocation.ts';
import { throughFrontDoor } from './middleware/through-front-door.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

/** A cache keeps a file, and asks each time whether it is still the one. */
const CACHED = { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };

interface PageFile {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Pages of any origin may read these: they hold no data. */
const PUBLIC = { 'access-control-allow-origin': '*' };

/** A file's path, and the headers that it has beside those of all. */
function placeOf(name: string): { readonly path: string; readonly headers: Readonly<Record<string, string>> } {
  if (name === 'index.html') return { path: '/', headers: {} };
  if (name === 'client.js') return { path: `/${name}`, headers: PUBLIC };
  if (name.endsWith('.json')) return { path: `/api/${name}`, headers: PUBLIC };
  return { path: `/assets/${name}`, headers: {} };
}

/** The page's files, the client library, and the documents of the API, by their path. All are text. */
export const readPage = (folder: string): ReadonlyMap<string, PageFile> =>
  new Map(
    readdirSync(folder).map((name) => {
      const body = readFileSync(join(folder, name), 'utf8');
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
      const type = TYPES[extname(name)];
      if (type === undefined) throw new Error(`${name}: add its type to functions/page.ts`);
      const { path, headers } = placeOf(name);
      return [path, { body, headers: { ...CACHED, ...headers, etag, 'content-type': type } }];
    }),
  );

/** Serves the files that lie beside the bundle. */
export const createHandler = (files: ReadonlyMap<string, PageFile>, key: string | null, telemetry: Telemetry) =>
  middy<APIGatewayProxyEventV2, HttpReply>()
    .use(withInvocation(telemetry))
    .use(errorReply(telemetry.report))
    .use(throughFrontDoor(key))
    .handler(async (event) => {
      const { method, path } = event.requestContext.http;
      const file = files.get(path);
      if (!file) throw new PushError('NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`);
      if (method !== 'GET' && method !== 'HEAD') throw new MethodError(path, ['GET'], method);
      if (isKnown(file.headers['etag'] ?? '', headerOf(event, 'if-none-match'))) return { statusCode: 304, headers: file.headers };
      return { statusCode: 200, headers: file.headers, body: file.body };
    });

export const handler = createHandler(readPage(fileURLToPath(new URL('files', import.meta.url))), originKey(), makeTelemetry('page'));

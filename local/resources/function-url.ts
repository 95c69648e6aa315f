/** `AWS::Lambda::Url` with response streaming. As on the platform, a function runs to its end even if its client leaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LocalClock } from '../base/clock.ts';
import type { Levers } from '../base/levers.ts';
import { urlOf } from '../base/url.ts';
import { ThrottledError } from './executions.ts';
import type { LocalFunction } from './function.ts';
import { eventOf } from './http-api.ts';

export interface LocalFunctionUrl {
  /** @param signed by the front door */
  serve(request: IncomingMessage, response: ServerResponse, signed: boolean): Promise<void>;
}

/** Separates the head, as JSON, from the body. */
const SEPARATOR = Buffer.alloc(8);

interface Prelude {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FunctionUrlOptions {
  readonly id: string;
  readonly fn: LocalFunction;
  /** Whether the function's policy lets everybody call it, and the front door. */
  readonly open: { readonly everybody: boolean; readonly frontDoor: boolean };
  readonly clock: LocalClock;
  readonly levers: Levers;
}

export function localFunctionUrl({ id, fn, open, clock, levers }: FunctionUrlOptions): LocalFunctionUrl {
  return {
    async serve(request, response, signed) {
      if (!(signed ? open.frontDoor : open.everybody))
        return void response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ Message: 'Forbidden' }));
      let head = Buffer.alloc(0);
      let held: Buffer | null = null;
      const onPiece = (piece: Buffer): void => {
        if (held !== null) pass(held);
        held = levers.holdPieces ? piece : null;
        if (held === null) pass(piece);
      };
      const pass = (piece: Buffer): void => {
        if (response.headersSent) return void response.write(piece);
        head = Buffer.concat([head, piece]);
        const end = head.indexOf(SEPARATOR);
        if (end === -1) return;
        const { statusCode = 200, headers = {} } = JSON.parse(head.subarray(0, end).toString('utf8')) as Prelude;
        response.writeHead(statusCode, headers);
        response.flushHeaders();
        const body = head.subarray(end + SEPARATOR.length);
        if (body.length > 0) response.write(body);
      };
      try {
        await fn.stream(eventOf(request, urlOf(request), Buffer.alloc(0), '$default', id, clock.now()), onPiece);
      } catch (error) {
        if (!(error instanceof ThrottledError)) throw error;
        return void response.writeHead(429, { 'content-type': 'application/json' }).end(JSON.stringify({ Reason: error.message }));
      }
      if (held !== null) pass(held);
      if (!response.headersSent)
        response.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'Internal Server Error' }));
      else response.end();
    },
  };
}

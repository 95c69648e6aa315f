/** Events that the platform passes to functions, as far as they read them. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { byteLength } from '../../core/base/bytes.ts';
import { cut } from '../../core/base/text.ts';
import { PushError } from '../../core/errors.ts';
import { FRONT_DOOR_HEADER } from '../../core/names.ts';

/** API Gateway's event for WebSocket functions. (`@types/aws-lambda` lacks half of it.) */
export interface SocketEvent {
  readonly requestContext: {
    readonly connectionId: string;
    readonly requestId: string;
    readonly requestTimeEpoch: number;
    readonly connectedAt: number;
    readonly identity?: { readonly sourceIp?: string };
  };
  /** Only on `$connect`. Their case is the client's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Only on `$connect`. */
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

interface Headed {
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export function headerOf(event: Headed, name: string): string | null {
  const found = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found?.[1] ?? null;
}

/** The host that the caller asked for. No page can set either header. */
export const hostOf = (event: Headed): string | null => headerOf(event, FRONT_DOOR_HEADER.host) ?? headerOf(event, 'host');

/** The caller's `Authorization`. */
export const authorizationOf = (event: Headed): string | null =>
  headerOf(event, FRONT_DOOR_HEADER.authorization) ?? headerOf(event, 'authorization');

/** The address of a WebSocket's caller. Behind the front door the gateway sees that; `X-Forwarded-For` then ends with both. */
export function callerOf(event: SocketEvent, behindFrontDoor: boolean): string {
  const forwarded = behindFrontDoor ? (headerOf(event, 'x-forwarded-for') ?? '').split(',').at(-2)?.trim() : undefined;
  return forwarded || event.requestContext.identity?.sourceIp || '';
}

/** The last event id of a returning client: an EventSource sends it in a header, a page that was loaded anew in the query. */
export const lastEventIdOf = (event: APIGatewayProxyEventV2): string | null =>
  headerOf(event, 'last-event-id') || event.queryStringParameters?.['lastEventId'] || null;

const NOT_UTF8 = 'body: expected UTF-8';

/** The body as text. Throws a PushError if it is not UTF-8: what it became on the way could not be undone. */
export function bodyOf(event: Pick<APIGatewayProxyEventV2, 'headers' | 'body' | 'isBase64Encoded'>): string {
  const { body = '' } = event;
  const charset = /;\s*charset="?([^;"]*)/i.exec(headerOf(event, 'content-type') ?? '')?.[1]?.trim() || 'utf-8';
  if (!/^(utf-?8|us-ascii)$/i.test(charset))
    throw new PushError('INVALID_MESSAGE_FORMAT', `${NOT_UTF8}, got the charset ${cut(charset, 40)}`, { charset: cut(charset, 40) });
  if (event.isBase64Encoded) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body, 'base64'));
    } catch {
      throw new PushError('INVALID_MESSAGE_FORMAT', NOT_UTF8);
    }
  }
  // the gateway puts U+FFFD in place of what it cannot read, and that has another length
  const sent = Number(headerOf(event, 'content-length') ?? Number.NaN);
  if (body.includes('\ufffd') && Number.isFinite(sent) && sent !== byteLength(body))
    throw new PushError('INVALID_MESSAGE_FORMAT', NOT_UTF8);
  return body;
}

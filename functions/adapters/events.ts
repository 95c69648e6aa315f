/** Events that the platform passes to functions, as far as they read them. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

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
  readonly body?: string;
}

export function headerOf(event: { readonly headers?: Readonly<Record<string, string | undefined>> }, name: string): string | null {
  const found = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found?.[1] ?? null;
}

/** The last event id of a returning client: an EventSource sends it in a header, a page that was loaded anew in the query. */
export const lastEventIdOf = (event: APIGatewayProxyEventV2): string | null =>
  headerOf(event, 'last-event-id') || event.queryStringParameters?.['lastEventId'] || null;

import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { headerOf } from './socket-event.ts';

/** Where a client that comes back left off: an EventSource says it in a header, a page that was loaded anew in the query. */
export const lastEventIdOf = (event: APIGatewayProxyEventV2): string | null =>
  headerOf(event, 'last-event-id') ?? event.queryStringParameters?.['lastEventId'] ?? null;

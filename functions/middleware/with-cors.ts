import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { corsHeaders, preflight } from '../adapters/cors.ts';
import type { HttpReply } from '../adapters/http-reply.ts';

/** Answers what browsers ask before a request, and lets pages of the allowed origins read the responses. */
export function withCors(allowed: string): MiddlewareObj<APIGatewayProxyEventV2, HttpReply, Error, Context> {
  const allow = (request: { readonly event: APIGatewayProxyEventV2; response: HttpReply | null }): void => {
    if (!request.response) return;
    request.response = { ...request.response, headers: { ...request.response.headers, ...corsHeaders(request.event, allowed) } };
  };
  return { before: ({ event }) => preflight(event, allowed) ?? undefined, after: allow, onError: allow };
}

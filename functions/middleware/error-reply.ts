import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { type ErrorCode, type PushError, tellable, UnavailableError } from '../../core/errors.ts';
import { METRIC } from '../../core/names.ts';
import type { Report } from '../../core/ports.ts';

/** HTTP statuses of the codes; on a handshake too. */
const STATUS: Record<ErrorCode, number> = {
  INVALID_MESSAGE_FORMAT: 400,
  UNKNOWN_MESSAGE_TYPE: 400,
  AUTHENTICATION_REQUIRED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CHANNEL_DISABLED: 409,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMIT_EXCEEDED: 429,
  TOO_MANY_SUBSCRIPTIONS: 429,
  TOO_MANY_CONNECTIONS: 503,
  INTERNAL_SERVER_ERROR: 500,
};

export interface HttpReply {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const jsonReply = (statusCode: number, body: object, headers: Readonly<Record<string, string>> = {}): HttpReply => ({
  statusCode,
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
  body: JSON.stringify(body),
});

const errorBody = (error: PushError) => ({ error_code: error.code, error_message: error.message, details: error.details });

/** A failure as an HTTP answer. What may succeed a little later says so. */
export const errorAnswer = (error: PushError): HttpReply =>
  jsonReply(error instanceof UnavailableError ? 503 : STATUS[error.code], errorBody(error), { 'cache-control': 'no-store' });

/** Answers a failed request with the one error body: the truth of a PushError, a request id of the rest. */
export function errorReply(report: Report): MiddlewareObj<unknown, HttpReply, Error, Context> {
  return {
    onError: (request) => {
      const told = tellable(request.error, request.context.awsRequestId);
      if (told !== request.error) report.error('a request failed', request.error);
      report.count(METRIC.errors);
      request.response = errorAnswer(told);
    },
  };
}

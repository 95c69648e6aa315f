import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { publicError } from '../../core/errors.ts';
import { METRIC } from '../../core/names.ts';
import type { Report } from '../../core/ports/report.ts';
import { errorAnswer, type HttpReply } from '../adapters/http-reply.ts';

/** Answers a failed request with the one form of error body: a PushError as it is, anything else with a request id. */
export function errorReply(report: Report): MiddlewareObj<unknown, HttpReply, Error, Context> {
  return {
    onError: (request) => {
      const reason = publicError(request.error, request.context.awsRequestId);
      if (reason !== request.error) report.error('a request failed', request.error);
      report.count(METRIC.errors);
      request.response = errorAnswer(reason);
    },
  };
}

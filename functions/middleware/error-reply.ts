import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { tellable } from '../../core/errors.ts';
import { METRIC } from '../../core/names.ts';
import type { Report } from '../../core/ports.ts';
import { errorAnswer, type HttpReply } from '../adapters/http-reply.ts';

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

import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { Telemetry } from '../adapters/report.ts';

/** Puts the request id on every log line, and writes the metrics out when the invocation ends, however it ends. */
export function withTelemetry({ logger, metrics }: Telemetry): MiddlewareObj<unknown, unknown, Error, Context> {
  const flush = () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    logger.resetKeys();
  };
  return {
    before: ({ context }) => {
      logger.addContext(context);
    },
    after: flush,
    onError: ({ error, response }) => {
      // a failure that was answered has been reported there
      if (response === undefined) logger.error('the invocation failed', error as Error);
      flush();
    },
  };
}

import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { startClock } from '../adapters/clock.ts';
import type { Telemetry } from '../adapters/report.ts';

/**
 * What every invocation begins and ends with: its start is told to the clock, its request id stands on every log line, and its
 * metrics are written out however it ends.
 */
export function withInvocation({ logger, metrics }: Telemetry): MiddlewareObj<unknown, unknown, Error, Context> {
  const end = () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    logger.resetKeys();
  };
  return {
    before: ({ context }) => {
      startClock(context);
      logger.addContext(context);
    },
    after: end,
    onError: ({ error, response }) => {
      // a failure that was answered has been reported there
      if (response === undefined) logger.error('the invocation failed', error as Error);
      end();
    },
  };
}

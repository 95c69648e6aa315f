import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { startClock } from '../adapters/clock.ts';
import type { Telemetry } from '../adapters/report.ts';

/**
 * Begins and ends every middy invocation: the clock takes its start, each log line carries its request id, and its metrics are
 * published however it ends.
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

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRIC } from '../../core/names.ts';
import type { Report } from '../../core/ports/report.ts';

export interface Telemetry {
  readonly report: Report;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Structured logs, and metrics as embedded format in the same stream: neither costs a call. */
export function telemetry(service: string): Telemetry {
  const logger = new Logger({ serviceName: service });
  const metrics = new Metrics({ namespace: METRIC.namespace, serviceName: service });
  return {
    logger,
    metrics,
    report: {
      info: (message, facts = {}) => logger.info(message, facts),
      warn: (message, facts = {}) => logger.warn(message, facts),
      error: (message, error, facts = {}) =>
        logger.error(message, { ...facts, error: error instanceof Error ? error : new Error(String(error)) }),
      count: (metric, value = 1) => metrics.addMetric(metric, MetricUnit.Count, value),
      time: (metric, ms) => metrics.addMetric(metric, MetricUnit.Milliseconds, ms),
    },
  };
}

import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { DrainPorts } from '../core/delivery/drain.ts';
import { doJobs } from '../core/delivery/jobs.ts';
import { drainPorts } from './adapters/drain-ports.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { batchFailures } from './middleware/batch-failures.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** Jobs off the queue: drains, greetings, pings, signs of life. */
export const createHandler = (ports: DrainPorts, told: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withTelemetry(told))
    .handler(async ({ Records }) =>
      batchFailures(
        await doJobs(
          Records.map(({ messageId, body }) => ({ id: messageId, body })),
          ports,
        ),
      ),
    );

const told = telemetry('fan-out');
export const handler = createHandler(drainPorts(told.report), told);

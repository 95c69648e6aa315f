import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type IngestPorts, ingest } from '../core/events/ingest.ts';
import { bucketBodies } from './adapters/bodies.ts';
import { drainPorts } from './adapters/drain-ports.ts';
import { dynamoCatalogue } from './adapters/dynamo/catalogue.ts';
import { documents } from './adapters/dynamo/client.ts';
import { limits, table } from './adapters/env.ts';
import { deadEvents } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { batchFailures } from './middleware/batch-failures.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** Events off the queue: commit, then drain. */
export const createHandler = (ports: IngestPorts, told: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withTelemetry(told))
    .handler(async ({ Records }) =>
      batchFailures(
        await ingest(
          Records.map(({ messageId, body }) => ({ id: messageId, body })),
          ports,
        ),
      ),
    );

const told = telemetry('ingest');
const client = documents();
export const handler = createHandler(
  {
    ...drainPorts(told.report, client),
    catalogue: dynamoCatalogue({ table: table.topics(), client }),
    bodies: bucketBodies(),
    deadEvents: deadEvents(),
    maxMessageBytes: limits.maxMessageBytes(),
  },
  told,
);

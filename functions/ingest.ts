import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type IngestPorts, ingest } from '../core/events/ingest.ts';
import { bucketBodies } from './adapters/bodies.ts';
import { limits } from './adapters/env.ts';
import { serveRecords } from './adapters/queue-records.ts';
import { deadLetters } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, catalogue, drainPorts } from './wiring/ports.ts';

/** Events off the queue: commit, then drain. */
export const createHandler = (ports: IngestPorts, telemetry: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withInvocation(telemetry))
    .handler((batch) => serveRecords(batch, (records) => ingest(records, ports)));

const { telemetry, ...basic } = basics('ingest');
const { channels } = engine();
export const handler = createHandler(
  {
    ...basic,
    ...drainPorts(channels, telemetry.report),
    channels,
    catalogue: catalogue(),
    bodies: bucketBodies(),
    deadLetters: deadLetters(),
    maxMessageBytes: limits.maxMessageBytes(),
  },
  telemetry,
);

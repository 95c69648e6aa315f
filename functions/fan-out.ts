import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { doJobs, type JobPorts } from '../core/delivery/jobs.ts';
import { serveRecords } from './adapters/queue-records.ts';
import { deadLetters } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, drainPorts } from './wiring/ports.ts';

/** Jobs off the queue: drains, greetings, pings, signs of life. */
export const createHandler = (ports: JobPorts, telemetry: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withInvocation(telemetry))
    .handler((batch) => serveRecords(batch, (records) => doJobs(records, ports)));

const { telemetry, ...basic } = basics('fan-out');
const { channels } = engine();
export const handler = createHandler(
  { ...basic, ...drainPorts(channels, telemetry.report), channels, deadLetters: deadLetters() },
  telemetry,
);

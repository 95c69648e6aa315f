import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { DrainPorts } from '../core/delivery/drain.ts';
import { doJobs } from '../core/delivery/jobs.ts';
import { serveRecords } from './adapters/queue-records.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, drainPorts } from './wiring/ports.ts';

/** Jobs off the queue: drains, greetings, pings, signs of life. */
export const createHandler = (ports: DrainPorts, telemetry: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withInvocation(telemetry))
    .handler((batch) => serveRecords(batch, (records) => doJobs(records, ports)));

const { telemetry, ...basic } = basics('fan-out');
const { channels } = engine();
export const handler = createHandler({ ...basic, ...drainPorts(channels), channels }, telemetry);

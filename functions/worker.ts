import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Worker } from '../core/channels/system.ts';
import { doWork, type WorkPorts, workerNamed } from '../core/channels/worker.ts';
import { ENV } from '../core/names.ts';
import { busLane } from './adapters/bus.ts';
import { requireEnv } from './adapters/env.ts';
import { serveRecords } from './adapters/queue-records.ts';
import { deadLetters, directLane, workQueues } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, catalogue, topics } from './wiring/ports.ts';

/** Work off the queue of one system's worker. */
export const createHandler = (worker: Worker, ports: WorkPorts, telemetry: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withInvocation(telemetry))
    .handler((batch) => serveRecords(batch, (records) => doWork(records, worker, ports)));

const name = requireEnv(ENV.worker);
const { telemetry, ...basic } = basics(`worker-${name}`);
const { systems, settings, channels } = engine();
export const handler = createHandler(
  workerNamed(name, systems),
  {
    ...basic,
    settings,
    topics: topics(channels),
    catalogue: catalogue(),
    work: workQueues(),
    lanes: { bus: busLane(), direct: directLane() },
    deadLetters: deadLetters(),
  },
  telemetry,
);

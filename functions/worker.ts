import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Worker, WorkerUse } from '../core/channels/system.ts';
import { doWork, type WorkPorts, workerNamed } from '../core/channels/worker.ts';
import { ENV } from '../core/names.ts';
import { busLane } from './adapters/bus.ts';
import { requireEnv } from './adapters/env.ts';
import { serveRecords } from './adapters/queue-records.ts';
import { deadLetters, directLane, workQueues } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, topics } from './wiring/ports.ts';

/** Work off the queue of one system's worker. */
export const createHandler = (worker: Worker, ports: WorkPorts, telemetry: Telemetry) =>
  middy<SQSEvent, SQSBatchResponse>()
    .use(withInvocation(telemetry))
    .handler((batch) => serveRecords(batch, (records) => doWork(records, worker, ports)));

const name = requireEnv(ENV.worker);
const { telemetry, ...basic } = basics(`worker-${name}`);
const { systems, settings, channels } = engine();
const worker = workerNamed(name, systems);

/** Ports that the worker does not name throw: its role would refuse the calls. */
const does = (use: WorkerUse): boolean => worker.uses.includes(use);
const lacks = (use: WorkerUse) => async (): Promise<never> => {
  throw new Error(`the worker ${name} must name '${use}' in its uses`);
};

export const handler = createHandler(
  worker,
  {
    ...basic,
    settings,
    topics: does('topic') ? topics(channels) : { read: lacks('topic') },
    work: does('work') ? workQueues() : { put: lacks('work') },
    lanes: {
      bus: does('bus') ? busLane() : { send: lacks('bus') },
      direct: does('direct') ? directLane() : { send: lacks('direct') },
    },
    deadLetters: deadLetters(),
  },
  telemetry,
);

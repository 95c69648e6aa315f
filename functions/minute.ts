import middy from '@middy/core';
import { type MinuteLookPorts, minuteLooks } from '../core/channels/minute.ts';
import { jobsQueue } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, catalogue, topics } from './wiring/ports.ts';

/** Every minute: each system's look. */
export const createHandler = (ports: MinuteLookPorts, telemetry: Telemetry) =>
  middy<unknown, void>()
    .use(withInvocation(telemetry))
    .handler(async () => minuteLooks(ports));

const { telemetry, ...basic } = basics('minute');
const { systems, settings, channels } = engine();
export const handler = createHandler(
  { ...basic, systems, settings, topics: topics(channels), catalogue: catalogue(), jobs: jobsQueue() },
  telemetry,
);

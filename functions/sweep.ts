import middy from '@middy/core';
import { type SweepPorts, sweep } from '../core/delivery/sweep.ts';
import { isBehindFrontDoor, limits } from './adapters/env.ts';
import { apiGateway } from './adapters/gateway.ts';
import { jobsQueue } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { basics, catalogue, connectionPorts, topics, turns } from './wiring/ports.ts';

/** Every minute: the housekeeping. */
export const createHandler = (ports: SweepPorts, telemetry: Telemetry) =>
  middy<unknown, void>()
    .use(withInvocation(telemetry))
    .handler(async () => sweep(ports));

const { telemetry, ...basic } = basics('sweep');
const { channels } = engine();
export const handler = createHandler(
  {
    ...basic,
    ...connectionPorts(),
    channels,
    topics: topics(channels),
    turns: turns(channels),
    catalogue: catalogue(),
    gateway: apiGateway(telemetry.report),
    behindFrontDoor: isBehindFrontDoor(),
    jobs: jobsQueue(),
    maxConnections: limits.maxConnections(),
    idleTimeoutSeconds: limits.idleTimeoutSeconds(),
    pingIntervalSeconds: limits.pingIntervalSeconds(),
  },
  telemetry,
);

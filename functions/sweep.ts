import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { makeChannels } from '../core/channels/channels.ts';
import { type SweepPorts, sweep } from '../core/delivery/sweep.ts';
import { DEFAULT_FRESHNESS } from '../core/quote.ts';
import { systemClock } from './adapters/clock.ts';
import { dynamoAudience } from './adapters/dynamo/audience.ts';
import { dynamoCatalogue } from './adapters/dynamo/catalogue.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoClients } from './adapters/dynamo/clients.ts';
import { dynamoConnections } from './adapters/dynamo/connections.ts';
import { dynamoTopics } from './adapters/dynamo/topics.ts';
import { dynamoTurns } from './adapters/dynamo/turns.ts';
import { limits, table } from './adapters/env.ts';
import { newEpoch } from './adapters/epoch.ts';
import { apiGateway } from './adapters/gateway.ts';
import { jobsQueue } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** Every minute: the housekeeping. */
export const createHandler = (ports: SweepPorts, told: Telemetry) =>
  middy<unknown, void>()
    .use(withTelemetry(told))
    .handler(async () => sweep(ports));

const told = telemetry('sweep');
const client = documents();
export const handler = createHandler(
  {
    connections: dynamoConnections({ table: table.connections(), client }),
    clients: dynamoClients({ table: table.connections(), client }),
    audience: dynamoAudience({ table: table.subscriptions(), client }),
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    turns: dynamoTurns({ table: table.topics(), client }),
    catalogue: dynamoCatalogue({ table: table.topics(), client }),
    gateway: apiGateway(),
    jobs: jobsQueue(),
    channels: makeChannels({ freshness: DEFAULT_FRESHNESS }),
    clock: systemClock(),
    report: told.report,
    newId: randomUUID,
    idleTimeoutSeconds: limits.idleTimeoutSeconds(),
    pingIntervalSeconds: limits.pingIntervalSeconds(),
  },
  told,
);

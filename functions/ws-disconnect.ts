import middy from '@middy/core';
import { type DisconnectPorts, disconnect } from '../core/connections/disconnect.ts';
import { systemClock } from './adapters/clock.ts';
import { dynamoAudience } from './adapters/dynamo/audience.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoClients } from './adapters/dynamo/clients.ts';
import { dynamoConnections } from './adapters/dynamo/connections.ts';
import { table } from './adapters/env.ts';
import type { SocketEvent } from './adapters/events.ts';
import type { HttpReply } from './adapters/http-reply.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** `$disconnect`: best effort on the platform's side, so the sweep and a post's 410 do the same. */
export const createHandler = (ports: DisconnectPorts, told: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withTelemetry(told))
    .handler(async ({ requestContext }) => {
      await disconnect(requestContext.connectionId, ports);
      return { statusCode: 200 };
    });

const told = telemetry('ws-disconnect');
const client = documents();
export const handler = createHandler(
  {
    connections: dynamoConnections({ table: table.connections(), client }),
    clients: dynamoClients({ table: table.connections(), client }),
    audience: dynamoAudience({ table: table.subscriptions(), client }),
    clock: systemClock(),
    report: told.report,
  },
  told,
);

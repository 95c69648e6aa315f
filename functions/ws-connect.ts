import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { makeChannels } from '../core/channels/channels.ts';
import { type ConnectPorts, connect } from '../core/connections/connect.ts';
import { DEFAULT_FRESHNESS } from '../core/quote.ts';
import { systemClock } from './adapters/clock.ts';
import { dynamoAudience } from './adapters/dynamo/audience.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoClients } from './adapters/dynamo/clients.ts';
import { dynamoConnections } from './adapters/dynamo/connections.ts';
import { limits, pushMode, table } from './adapters/env.ts';
import { headerOf, type SocketEvent } from './adapters/events.ts';
import { apiGateway } from './adapters/gateway.ts';
import type { HttpReply } from './adapters/http-reply.ts';
import { jobsQueue } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { identity } from './adapters/tokens.ts';
import { errorReply } from './middleware/error-reply.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** `$connect`: what it answers is the handshake's status. */
export const createHandler = (ports: ConnectPorts, told: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withTelemetry(told))
    .use(errorReply(told.report))
    .handler(async (event) => {
      const { connectionId, connectedAt, identity: caller } = event.requestContext;
      const protocol = await connect(
        {
          connectionId,
          connectedAtMs: connectedAt,
          origin: headerOf(event, 'origin'),
          sourceIp: caller?.sourceIp ?? '',
          protocols: headerOf(event, 'sec-websocket-protocol'),
          authorization: headerOf(event, 'authorization'),
        },
        ports,
      );
      // the gateway sends a subprotocol only if it is returned here, and then exactly this one
      return { statusCode: 200, ...(protocol === null ? {} : { headers: { 'Sec-WebSocket-Protocol': protocol } }) };
    });

const told = telemetry('ws-connect');
const client = documents();
export const handler = createHandler(
  {
    connections: dynamoConnections({ table: table.connections(), client }),
    clients: dynamoClients({ table: table.connections(), client }),
    audience: dynamoAudience({ table: table.subscriptions(), client }),
    gateway: apiGateway(),
    clock: systemClock(),
    jobs: jobsQueue(),
    report: told.report,
    identity: identity(told.report),
    mode: pushMode(),
    channels: makeChannels({ freshness: DEFAULT_FRESHNESS }),
    newClientId: randomUUID,
    allowedOrigins: limits.allowedOrigins(),
    maxConnections: limits.maxConnections(),
    maxConnectionsPerClient: limits.maxConnectionsPerClient(),
  },
  told,
);

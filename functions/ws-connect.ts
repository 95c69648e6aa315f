import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { type ConnectPorts, connect } from '../core/connect.ts';
import { dynamoConnections } from './adapters/dynamo/connections.ts';
import { limits, table } from './adapters/env.ts';
import { jobsQueue } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { headerOf, type SocketEvent } from './adapters/socket-event.ts';
import { errorReply, type HttpReply } from './middleware/error-reply.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** `$connect`: what it answers is the handshake's status. */
export const createHandler = (ports: ConnectPorts, told: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withTelemetry(told))
    .use(errorReply(told.report))
    .handler(async (event) => {
      const { connectionId, connectedAt, identity } = event.requestContext;
      await connect(
        { connectionId, connectedAtMs: connectedAt, origin: headerOf(event, 'origin'), sourceIp: identity?.sourceIp ?? '' },
        ports,
      );
      return { statusCode: 200 };
    });

const told = telemetry('ws-connect');
export const handler = createHandler(
  {
    connections: dynamoConnections({ table: table.connections() }),
    jobs: jobsQueue(),
    report: told.report,
    newClientId: randomUUID,
    allowedOrigins: limits.allowedOrigins(),
    maxConnections: limits.maxConnections(),
  },
  told,
);

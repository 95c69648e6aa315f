import middy from '@middy/core';
import { type ConnectPorts, connect } from '../core/connections/connect.ts';
import { limits, originKey, pushMode } from './adapters/env.ts';
import { callerOf, headerOf, hostOf, type SocketEvent } from './adapters/events.ts';
import { apiGateway } from './adapters/gateway.ts';
import type { HttpReply } from './adapters/http-reply.ts';
import { keysOnDemand } from './adapters/keys-on-demand.ts';
import { jobsQueue } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { errorReply } from './middleware/error-reply.ts';
import { withInvocation } from './middleware/invocation.ts';
import { throughFrontDoor } from './middleware/through-front-door.ts';
import { engine } from './wiring/engine.ts';
import { identity } from './wiring/identity.ts';
import { basics, connectionPorts } from './wiring/ports.ts';

/** `$connect`: its response is the handshake's status. */
export const createHandler = (ports: ConnectPorts, key: string | null, telemetry: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withInvocation(telemetry))
    .use(errorReply(telemetry.report))
    .use(throughFrontDoor(key))
    .handler(async (event) => {
      const { connectionId, connectedAt } = event.requestContext;
      const protocol = await connect(
        {
          connectionId,
          connectedAtMs: connectedAt,
          origin: headerOf(event, 'origin'),
          host: hostOf(event),
          sourceIp: callerOf(event, key !== null),
          protocols: headerOf(event, 'sec-websocket-protocol'),
          authorization: headerOf(event, 'authorization'),
          apiKey: headerOf(event, 'x-api-key'),
          ticket: event.queryStringParameters?.['ticket'] ?? null,
        },
        ports,
      );
      // the gateway sends a subprotocol only if it is returned here, and then exactly this one
      return { statusCode: 200, ...(protocol === null ? {} : { headers: { 'Sec-WebSocket-Protocol': protocol } }) };
    });

const { telemetry, ...basic } = basics('ws-connect');
const { channels } = engine();
export const handler = createHandler(
  {
    ...basic,
    ...connectionPorts(),
    channels,
    gateway: apiGateway(telemetry.report),
    jobs: jobsQueue(),
    identity: identity(telemetry.report),
    keys: keysOnDemand(),
    mode: pushMode(),
    allowedOrigins: limits.allowedOrigins(),
    maxConnections: limits.maxConnections(),
    maxConnectionsPerClient: limits.maxConnectionsPerClient(),
  },
  originKey(),
  telemetry,
);

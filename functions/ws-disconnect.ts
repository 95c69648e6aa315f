import middy from '@middy/core';
import { type DisconnectPorts, disconnect } from '../core/connections/disconnect.ts';
import type { SocketEvent } from './adapters/events.ts';
import type { HttpReply } from './adapters/http-reply.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { basics, connectionPorts } from './wiring/ports.ts';

/** `$disconnect`: best effort on the platform's side; the sweep and a post's 410 do the same. */
export const createHandler = (ports: DisconnectPorts, telemetry: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withInvocation(telemetry))
    .handler(async ({ requestContext }) => {
      await disconnect(requestContext.connectionId, ports);
      return { statusCode: 200 };
    });

const { telemetry, ...basic } = basics('ws-disconnect');
export const handler = createHandler({ ...basic, ...connectionPorts() }, telemetry);

import middy from '@middy/core';
import { handleMessage } from '../core/sessions/handle-message.ts';
import type { MessagePorts } from '../core/sessions/session.ts';
import { limits, pushMode } from './adapters/env.ts';
import type { SocketEvent } from './adapters/events.ts';
import { apiGateway } from './adapters/gateway.ts';
import type { HttpReply } from './adapters/http-reply.ts';
import { jobsQueue, workQueues } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { withInvocation } from './middleware/invocation.ts';
import { engine } from './wiring/engine.ts';
import { identity } from './wiring/identity.ts';
import { announcements, basics, catalogue, connectionPorts, registrations, topics } from './wiring/ports.ts';

/** `$default`: one message of a client. Its replies go by post, so that they come in order. */
export const createHandler = (ports: MessagePorts, telemetry: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withInvocation(telemetry))
    .handler(async ({ requestContext, body = '' }) => {
      const { connectionId, requestTimeEpoch, requestId } = requestContext;
      await handleMessage({ connectionId, text: body, receivedAtMs: requestTimeEpoch, requestId }, ports);
      return { statusCode: 200 };
    });

const { telemetry, ...basic } = basics('ws-message');
const { channels, settings, messages } = engine();
export const handler = createHandler(
  {
    ...basic,
    ...connectionPorts(),
    channels,
    settings,
    messages,
    topics: topics(channels),
    catalogue: catalogue(),
    registrations: registrations(),
    announcements: announcements(),
    gateway: apiGateway(telemetry.report),
    jobs: jobsQueue(),
    work: workQueues(),
    identity: identity(telemetry.report),
    mode: pushMode(),
    maxSubscriptions: limits.maxSubscriptions(),
    maxConnectionsPerClient: limits.maxConnectionsPerClient(),
    pacePerSecond: limits.maxMessagesPerSecond(),
    pingIntervalMs: limits.pingIntervalSeconds() * 1000,
  },
  telemetry,
);

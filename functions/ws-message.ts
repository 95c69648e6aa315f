import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { makeChannels } from '../core/channels/channels.ts';
import { handleMessage } from '../core/sessions/handle-message.ts';
import type { MessagePorts } from '../core/sessions/session.ts';
import { systemClock } from './adapters/clock.ts';
import { dynamoAudience } from './adapters/dynamo/audience.ts';
import { dynamoCatalogue } from './adapters/dynamo/catalogue.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoClients } from './adapters/dynamo/clients.ts';
import { dynamoConnections } from './adapters/dynamo/connections.ts';
import { dynamoRegistrations } from './adapters/dynamo/registrations.ts';
import { dynamoTopics } from './adapters/dynamo/topics.ts';
import { freshness, limits, pushMode, table } from './adapters/env.ts';
import { newEpoch } from './adapters/epoch.ts';
import type { SocketEvent } from './adapters/events.ts';
import { apiGateway } from './adapters/gateway.ts';
import type { HttpReply } from './adapters/http-reply.ts';
import { jobsQueue } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { identity } from './adapters/tokens.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** `$default`: one message of a client. Its replies go by post, so that they come in order. */
export const createHandler = (ports: MessagePorts, told: Telemetry) =>
  middy<SocketEvent, HttpReply>()
    .use(withTelemetry(told))
    .handler(async ({ requestContext, body = '' }) => {
      const { connectionId, requestTimeEpoch, requestId } = requestContext;
      await handleMessage({ connectionId, text: body, receivedAtMs: requestTimeEpoch, requestId }, ports);
      return { statusCode: 200 };
    });

const told = telemetry('ws-message');
const client = documents();
export const handler = createHandler(
  {
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    audience: dynamoAudience({ table: table.subscriptions(), client }),
    connections: dynamoConnections({ table: table.connections(), client }),
    clients: dynamoClients({ table: table.connections(), client }),
    catalogue: dynamoCatalogue({ table: table.topics(), client }),
    gateway: apiGateway(),
    jobs: jobsQueue(),
    clock: systemClock(),
    report: told.report,
    channels: makeChannels({ freshness: freshness() }),
    registrations: dynamoRegistrations({ table: table.settings(), client }),
    identity: identity(told.report),
    mode: pushMode(),
    pingIntervalMs: limits.pingIntervalSeconds() * 1000,
    maxSubscriptions: limits.maxSubscriptions(),
    maxConnectionsPerClient: limits.maxConnectionsPerClient(),
    pacePerSecond: limits.maxMessagesPerSecond(),
    newId: randomUUID,
  },
  told,
);

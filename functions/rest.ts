import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { makeChannels } from '../core/channels/channels.ts';
import { type RestPorts, routeRequest } from '../core/http/rest.ts';
import { readBearer } from '../core/identity.ts';
import { VERSION } from '../core/version.ts';
import { bucketBodies } from './adapters/bodies.ts';
import { busLane, registrationNotices } from './adapters/bus.ts';
import { systemClock } from './adapters/clock.ts';
import { dynamoCatalogue } from './adapters/dynamo/catalogue.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoConnections } from './adapters/dynamo/connections.ts';
import { dynamoRegistrations } from './adapters/dynamo/registrations.ts';
import { dynamoTopics } from './adapters/dynamo/topics.ts';
import { freshness, limits, pushMode, table } from './adapters/env.ts';
import { newEpoch } from './adapters/epoch.ts';
import { headerOf, lastEventIdOf } from './adapters/events.ts';
import { answerOf, type HttpReply } from './adapters/http-reply.ts';
import { publishKeys } from './adapters/publish-keys.ts';
import { directLane } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { identity } from './adapters/tokens.ts';
import { errorReply } from './middleware/error-reply.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** The REST API. */
export const createHandler = (ports: RestPorts, told: Telemetry) =>
  middy<APIGatewayProxyEventV2, HttpReply>()
    .use(withTelemetry(told))
    .use(errorReply(told.report))
    .handler(async (event) => {
      const { method, path } = event.requestContext.http;
      const text = event.body ?? '';
      const reply = await routeRequest(
        {
          method,
          path,
          query: event.queryStringParameters ?? {},
          apiKey: headerOf(event, 'x-api-key'),
          token: readBearer(headerOf(event, 'authorization')),
          lastEventId: lastEventIdOf(event),
          body: event.isBase64Encoded ? Buffer.from(text, 'base64').toString('utf8') : text,
        },
        ports,
      );
      return answerOf(reply, headerOf(event, 'if-none-match'));
    });

const told = telemetry('rest');
const client = documents();
const clock = systemClock();
export const handler = createHandler(
  {
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    catalogue: dynamoCatalogue({ table: table.topics(), client }),
    connections: dynamoConnections({ table: table.connections(), client }),
    bodies: bucketBodies(),
    keys: publishKeys(),
    registrations: dynamoRegistrations({ table: table.settings(), client }),
    notices: registrationNotices(),
    identity: identity(told.report),
    mode: pushMode(),
    lanes: { bus: busLane(), direct: directLane() },
    clock,
    report: told.report,
    channels: makeChannels({ freshness: freshness() }),
    freshness: freshness(),
    newId: randomUUID,
    maxMessageBytes: limits.maxMessageBytes(),
    version: VERSION,
  },
  told,
);

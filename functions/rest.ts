import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { type RestPorts, routeRequest } from '../core/http/rest.ts';
import { readBearer } from '../core/identity.ts';
import { VERSION } from '../core/version.ts';
import { bucketBodies } from './adapters/bodies.ts';
import { busLane, registrationNotices } from './adapters/bus.ts';
import { limits, originKey, pushMode } from './adapters/env.ts';
import { bodyOf, headerOf, lastEventIdOf } from './adapters/events.ts';
import { answerOf, type HttpReply } from './adapters/http-reply.ts';
import { publishKeys } from './adapters/publish-keys.ts';
import { directLane, jobsQueue } from './adapters/queues.ts';
import type { Telemetry } from './adapters/report.ts';
import { errorReply } from './middleware/error-reply.ts';
import { withInvocation } from './middleware/invocation.ts';
import { throughFrontDoor } from './middleware/through-front-door.ts';
import { withCors } from './middleware/with-cors.ts';
import { engine } from './wiring/engine.ts';
import { identity } from './wiring/identity.ts';
import { basics, catalogue, clients, connections, places, registrations, revocations, tickets, topics } from './wiring/ports.ts';

/** The REST API. */
export const createHandler = (ports: RestPorts, allowedOrigins: string, key: string | null, telemetry: Telemetry) =>
  middy<APIGatewayProxyEventV2, HttpReply>()
    .use(withInvocation(telemetry))
    .use(withCors(allowedOrigins))
    .use(errorReply(telemetry.report))
    .use(throughFrontDoor(key))
    .handler(async (event) => {
      const { method, path } = event.requestContext.http;
      const reply = await routeRequest(
        {
          method,
          path,
          query: event.queryStringParameters ?? {},
          apiKey: headerOf(event, 'x-api-key'),
          token: readBearer(headerOf(event, 'authorization')),
          lastEventId: lastEventIdOf(event),
          body: bodyOf(event),
        },
        ports,
      );
      return answerOf(reply, headerOf(event, 'if-none-match'));
    });

const { telemetry, ...basic } = basics('rest');
const { channels, systems, settings } = engine();
export const handler = createHandler(
  {
    ...basic,
    systems,
    settings,
    channels,
    topics: topics(channels),
    catalogue: catalogue(),
    connections: connections(),
    registrations: registrations(),
    tickets: tickets(),
    revocations: revocations(),
    clients: clients(),
    jobs: jobsQueue(),
    places: places(),
    bodies: bucketBodies(),
    keys: publishKeys(),
    notices: registrationNotices(),
    lanes: { bus: busLane(), direct: directLane() },
    identity: identity(telemetry.report),
    mode: pushMode(),
    maxMessageBytes: limits.maxMessageBytes(),
    version: VERSION,
  },
  limits.allowedOrigins(),
  originKey(),
  telemetry,
);

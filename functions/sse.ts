import { randomUUID } from 'node:crypto';
import { makeChannels } from '../core/channels/channels.ts';
import { tellable } from '../core/errors.ts';
import { openStream } from '../core/http/event-stream.ts';
import { type ServeStreamPorts, serveStream } from '../core/http/serve-event-stream.ts';
import { readBearer } from '../core/identity.ts';
import { METRIC } from '../core/names.ts';
import { DEFAULT_FRESHNESS } from '../core/quote.ts';
import { systemClock } from './adapters/clock.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoRegistrations } from './adapters/dynamo/registrations.ts';
import { dynamoStreams } from './adapters/dynamo/streams.ts';
import { dynamoTopics } from './adapters/dynamo/topics.ts';
import { pushMode, streamLimits, table } from './adapters/env.ts';
import { newEpoch } from './adapters/epoch.ts';
import { headerOf, lastEventIdOf } from './adapters/events.ts';
import { EVENT_STREAM, errorAnswer } from './adapters/http-reply.ts';
import { type ResponseStream, streaming } from './adapters/lambda-stream.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { identity } from './adapters/tokens.ts';

/** Server-Sent Events, streamed through a function URL. Lambda does not say when a client has left: so each stream ends in good time. */
export const createHandler = (ports: ServeStreamPorts, { metrics }: Telemetry) =>
  streaming(async (event, respond, requestId) => {
    const { clock, report } = ports;
    const beganMs = clock.now();
    let out: ResponseStream | null = null;
    try {
      const opened = await openStream(
        {
          method: event.requestContext.http.method,
          path: event.rawPath,
          query: event.queryStringParameters ?? {},
          token: readBearer(headerOf(event, 'authorization')),
          lastEventId: lastEventIdOf(event),
        },
        ports,
      );
      out = respond({ statusCode: 200, headers: EVENT_STREAM });
      for await (const text of serveStream(opened, beganMs, ports)) await out.write(text);
    } catch (error) {
      report.count(METRIC.errors);
      const told = tellable(error, requestId);
      if (told !== error) report.error('a stream failed', error, { requestId });
      // once it has begun, a stream that fails just ends: the client comes back with its position
      if (out !== null) return;
      const { statusCode, headers = {}, body = '' } = errorAnswer(told);
      out = respond({ statusCode, headers });
      await out.write(body);
    } finally {
      out?.end();
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  });

const logged = telemetry('sse');
const client = documents();
const { lifeMs, most } = streamLimits();
export const handler = createHandler(
  {
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    registrations: dynamoRegistrations({ table: table.settings(), client }),
    streams: dynamoStreams({ table: table.connections(), lifeMs, client }),
    channels: makeChannels({ freshness: DEFAULT_FRESHNESS }),
    identity: identity(logged.report),
    clock: systemClock(),
    newId: randomUUID,
    report: logged.report,
    mode: pushMode(),
    lifeMs,
    mostStreams: most,
  },
  logged,
);

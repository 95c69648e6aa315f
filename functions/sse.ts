import { ok } from '../core/channels/system.ts';
import { publicError } from '../core/errors.ts';
import { finiteAnswer, openStream } from '../core/http/event-stream.ts';
import { type ServeStreamPorts, serveStream } from '../core/http/serve-event-stream.ts';
import { readBearer } from '../core/identity.ts';
import { METRIC } from '../core/names.ts';
import { corsHeaders, preflight } from './adapters/cors.ts';
import { limits, pushMode, streamLimits } from './adapters/env.ts';
import { authorizationOf, lastEventIdOf } from './adapters/events.ts';
import { answerOf, EVENT_STREAM, errorAnswer } from './adapters/http-reply.ts';
import { type ResponseStream, streaming } from './adapters/lambda-stream.ts';
import type { Telemetry } from './adapters/report.ts';
import { engine } from './wiring/engine.ts';
import { identity } from './wiring/identity.ts';
import { basics, places, registrations, streams, topics } from './wiring/ports.ts';

/** An empty SSE comment. It has no blank line, so it ends no event. */
const NUDGE = ':\n';

/** Server-Sent Events, streamed through a function URL. Lambda does not say when a client has left, so each stream ends in good time. */
export const createHandler = (ports: ServeStreamPorts, allowedOrigins: string, { metrics }: Telemetry) =>
  streaming(async (event, respond, requestId) => {
    const { clock, report } = ports;
    const startedMs = clock.now();
    let out: ResponseStream | null = null;
    const cors = corsHeaders(event, allowedOrigins);
    try {
      const asked = preflight(event, allowedOrigins);
      if (asked) {
        out = respond({ statusCode: asked.statusCode, headers: asked.headers ?? {} });
        // the head goes out with the first piece
        return await out.write(' ');
      }
      const opened = await openStream(
        {
          method: event.requestContext.http.method,
          path: event.rawPath,
          query: event.queryStringParameters ?? {},
          token: readBearer(authorizationOf(event)),
          lastEventId: lastEventIdOf(event),
        },
        ports,
      );
      if (opened.once) {
        const { statusCode, headers = {}, body = '' } = answerOf(ok(await finiteAnswer(opened, ports)), null);
        out = respond({ statusCode, headers: { ...headers, ...cors } });
        return await out.write(body);
      }
      out = respond({ statusCode: 200, headers: { ...EVENT_STREAM, ...cors } });
      for await (const text of serveStream(opened, startedMs, ports)) {
        await out.write(text);
        // a function URL may hold a small piece back until the next one comes
        await out.write(NUDGE);
      }
    } catch (error) {
      report.count(METRIC.errors);
      const reason = publicError(error, requestId);
      if (reason !== error) report.error('a stream failed', error, { requestId });
      // a stream that has begun just ends: the client returns with its position
      if (out !== null) return;
      const { statusCode, headers = {}, body = '' } = errorAnswer(reason);
      out = respond({ statusCode, headers: { ...headers, ...cors } });
      await out.write(body);
    } finally {
      out?.end();
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  });

const { telemetry, ...basic } = basics('sse');
const { channels } = engine();
const { lifeMs, most } = streamLimits();
export const handler = createHandler(
  {
    ...basic,
    channels,
    topics: topics(channels),
    registrations: registrations(),
    places: places(),
    streams: streams(lifeMs),
    identity: identity(telemetry.report),
    mode: pushMode(),
    lifeMs,
    mostStreams: most,
  },
  limits.allowedOrigins(),
  telemetry,
);

import { makeChannels } from '../core/channels/registry.ts';
import { tellable } from '../core/errors.ts';
import { readBearer } from '../core/identity.ts';
import { METRIC } from '../core/names.ts';
import type { Clock, Report, Streams } from '../core/ports.ts';
import { DEFAULT_FRESHNESS } from '../core/quote.ts';
import { finiteText, openStream, type StreamPorts, streamText } from '../core/stream.ts';
import { EVENT_STREAM } from './adapters/answers.ts';
import { systemClock } from './adapters/clock.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoRegistrations } from './adapters/dynamo/registrations.ts';
import { dynamoStreams } from './adapters/dynamo/streams.ts';
import { dynamoTopics } from './adapters/dynamo/topics.ts';
import { pushMode, streamLimits, table } from './adapters/env.ts';
import { newEpoch } from './adapters/epoch.ts';
import { type ResponseStream, streaming } from './adapters/lambda-stream.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { headerOf } from './adapters/socket-event.ts';
import { lastEventIdOf } from './adapters/stream-event.ts';
import { identity } from './adapters/tokens.ts';
import { errorAnswer } from './middleware/error-reply.ts';

export interface SsePorts extends StreamPorts {
  readonly streams: Streams;
  readonly clock: Clock;
  readonly report: Report;
  /** How long a stream may last, in ms. */
  readonly lifeMs: number;
  /** More streams than this at once, and the rest get finite answers. */
  readonly mostStreams: number;
}

/** Server-Sent Events, streamed through a function URL. Lambda does not say when a client has left: so each stream ends in good time. */
export const createHandler = (ports: SsePorts, { metrics }: Telemetry) =>
  streaming(async (event, respond, requestId) => {
    const { clock, report } = ports;
    const beganMs = clock.now();
    let out: ResponseStream | null = null;
    try {
      const request = {
        path: event.rawPath,
        query: event.queryStringParameters ?? {},
        token: readBearer(headerOf(event, 'authorization')),
        lastEventId: lastEventIdOf(event),
      };
      const opened = await openStream(request, ports);
      const open = await ports.streams.enter(beganMs);
      try {
        out = respond({ statusCode: 200, headers: EVENT_STREAM });
        if (open > ports.mostStreams) return await out.write(await finiteText(opened, ports));
        for await (const text of streamText(opened, beganMs + ports.lifeMs, ports)) await out.write(text);
      } finally {
        await ports.streams.leave(beganMs);
      }
    } catch (error) {
      report.count(METRIC.errors);
      const told = tellable(error, requestId);
      if (told !== error) report.error('a stream failed', error);
      // once it has begun, a stream that fails just ends: the client comes back with its position
      if (out === null) {
        const { statusCode, headers = {}, body = '' } = errorAnswer(told);
        out = respond({ statusCode, headers });
        await out.write(body);
      }
    } finally {
      out?.end();
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  });

const told = telemetry('sse');
const client = documents();
const { lifeMs, most } = streamLimits();
export const handler = createHandler(
  {
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    registrations: dynamoRegistrations({ table: table.settings(), client }),
    streams: dynamoStreams({ table: table.connections(), lifeMs, client }),
    channels: makeChannels({ freshness: DEFAULT_FRESHNESS }),
    identity: identity(told.report),
    clock: systemClock(),
    report: told.report,
    mode: pushMode(),
    lifeMs,
    mostStreams: most,
  },
  told,
);

import { METRIC } from '../names.ts';
import type { Report, Streams } from '../ports.ts';
import { finiteText, type Opened, type StreamPorts, streamText } from './event-stream.ts';

export interface ServeStreamPorts extends StreamPorts {
  readonly streams: Streams;
  readonly report: Report;
  /** How long a stream may last, in ms. */
  readonly lifeMs: number;
  /** More streams than this at once, and the rest get finite answers. */
  readonly mostStreams: number;
}

/** The text of an opened stream, while there is room for it; else of a finite answer. */
export async function* serveStream(opened: Opened, beganMs: number, ports: ServeStreamPorts): AsyncGenerator<string, void> {
  const { streams, report, clock, lifeMs, mostStreams } = ports;
  const { topic } = opened.address;
  let pieces = 0;
  // the count is about: one that cannot be kept must not refuse a client for good
  const open = await streams.enter(beganMs).catch((error: unknown) => {
    report.error('a stream could not be counted', error);
    return 0;
  });
  const finite = open > mostStreams;
  report.info('stream', { topic, open, finite });
  try {
    if (finite) return yield await finiteText(opened, ports);
    for await (const text of streamText(opened, beganMs + lifeMs, ports)) {
      pieces++;
      yield text;
    }
  } finally {
    report.count(METRIC.messagesOut, pieces);
    report.info('stream ended', { topic, pieces, ms: clock.now() - beganMs });
    await streams.leave(beganMs).catch((error: unknown) => report.error('a stream could not be counted out', error));
  }
}

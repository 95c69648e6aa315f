import { byteLength } from '../base/bytes.ts';
import { METRIC } from '../names.ts';
import type { Ports } from '../ports/ports.ts';
import { finiteAnswer, type Opened, type StreamPorts, streamText } from './event-stream.ts';

export interface ServeStreamPorts extends StreamPorts, Pick<Ports, 'streams' | 'report'> {
  /** How long a stream may last, in ms. */
  readonly lifeMs: number;
  /** Streams open at once; more get finite answers. */
  readonly mostStreams: number;
}

/** The text of an opened stream if there is room for it, else of a finite answer. */
export async function* serveStream(opened: Opened, startedMs: number, ports: ServeStreamPorts): AsyncGenerator<string, void> {
  const { streams, report, clock, lifeMs, mostStreams } = ports;
  const { topic } = opened.address;
  let pieces = 0;
  let bytes = 0;
  // the count is approximate: a failure to keep it must not refuse a client for good
  const open = await streams.enter(startedMs).catch((error: unknown) => {
    report.error('a stream could not be counted', error);
    return 0;
  });
  const finite = open > mostStreams;
  report.info('stream', { topic, open, finite });
  try {
    if (finite) return yield String(await finiteAnswer({ ...opened, once: false }, ports));
    for await (const text of streamText(opened, startedMs + lifeMs, ports)) {
      pieces++;
      bytes += byteLength(text);
      yield text;
    }
  } finally {
    report.count(METRIC.messagesOut, pieces);
    report.count(METRIC.bytesOut, bytes);
    report.info('stream ended', { topic, pieces, ms: clock.now() - startedMs });
    await streams.leave(startedMs).catch((error: unknown) => report.error('a stream could not be counted out', error));
  }
}

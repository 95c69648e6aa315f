/** A log topic as an event stream: every message after a position, in order. */
import { readLogAfter } from '../delivery/log-reader.ts';
import { logMessage } from '../delivery/messages.ts';
import { COMMENT } from '../protocol/sse.ts';
import { eventText, jsonForm, type Pieces } from './state-pieces.ts';

export const logPieces: Pieces = {
  first: (stream, state, from, ports) => logPieces.news(stream, state, from, ports),
  async *news(stream, state, from, ports) {
    for (let last = from; ; ) {
      const { messages, full } = await readLogAfter(state, last, ports.topics);
      for (const stored of messages) {
        const message = logMessage(state, stream.address.channel, stored, ports);
        yield { text: message ? eventText(stream, message) : '', upTo: stored.offset, message: message && jsonForm(message) };
      }
      last = messages.at(-1)?.offset ?? last;
      if (!full) return;
    }
  },
  keepAlive: () => COMMENT,
};

/** A log topic as an event stream: every message after a position, in order. */
import { readLogAfter } from '../delivery/log-reader.ts';
import { logMessage } from '../delivery/messages.ts';
import { COMMENT, formatId } from '../protocol/sse.ts';
import { eventText, type Pieces } from './state-pieces.ts';

export const logPieces: Pieces = {
  async *first(address, state, from, ports) {
    // an id by itself is no event, but an EventSource that got nothing yet returns with it
    yield { text: formatId({ epoch: state.epoch, offset: from }), upTo: from };
    yield* logPieces.news(address, state, from, ports);
  },
  async *news(address, state, from, ports) {
    for (let last = from; ; ) {
      const { messages, full } = await readLogAfter(state, last, ports.topics);
      for (const stored of messages) {
        const message = logMessage(state, address.channel, stored, ports);
        yield { text: message ? eventText(address, message) : '', upTo: stored.offset };
      }
      last = messages.at(-1)?.offset ?? last;
      if (!full) return;
    }
  },
  keepAlive: () => COMMENT,
};

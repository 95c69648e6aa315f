/** A state topic as an event stream: its state first, known or not; then each newer one. */
import type { Address } from '../channels/address.ts';
import { newestOf, type OutgoingPorts } from '../delivery/messages.ts';
import type { TopicState, Topics } from '../ports/topics.ts';
import type { Outgoing } from '../protocol/encode.ts';
import { formatEvent } from '../protocol/sse.ts';

export interface Piece {
  readonly text: string;
  /** Up to which offset the client has everything with it. */
  readonly upTo: number;
}

export interface PiecePorts extends OutgoingPorts {
  readonly topics: Topics;
}

/** A stream, as its events depend on it. */
export interface Streaming {
  readonly address: Address;
  /** How long the client waits before it comes back. */
  readonly retryMs: number;
}

/** A kind of topic, as pieces of a stream. */
export interface Pieces {
  first(stream: Streaming, state: TopicState, from: number, ports: PiecePorts): AsyncIterable<Piece>;
  /** The messages after `from`. */
  news(stream: Streaming, state: TopicState, from: number, ports: PiecePorts): AsyncIterable<Piece>;
  keepAlive(stream: Streaming, state: TopicState, ports: PiecePorts): string;
}

export const statePieces: Pieces = {
  async *first({ address, retryMs }, state, _, ports) {
    const { epoch, head } = state;
    const newest = newestOf(state, address.channel, ports);
    const data = newest ? address.http.event(newest.payload).data : unknownOf(address, ports);
    yield { text: formatEvent('INIT', data, newest?.position ?? { epoch, offset: 0 }, retryMs), upTo: head };
  },
  async *news(stream, state, _, ports) {
    const newest = newestOf(state, stream.address.channel, ports);
    if (newest) yield { text: eventText(stream, newest), upTo: state.head };
  },
  keepAlive(stream, state, ports) {
    const newest = newestOf(state, stream.address.channel, ports, true);
    return newest ? eventText(stream, newest) : formatEvent('KEEPALIVE', unknownOf(stream.address, ports), null, stream.retryMs);
  },
};

/** A message as an event; a repeat has no id of its own. */
export function eventText({ address, retryMs }: Streaming, { payload, position, repeatedAtMs }: Outgoing): string {
  const { name, data } = address.http.event(payload);
  return formatEvent(name, data, repeatedAtMs === null ? position : null, retryMs);
}

const unknownOf = ({ http, values }: Address, { clock }: PiecePorts): object => http.unknown?.(values, clock.now()) ?? {};

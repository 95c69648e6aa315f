/** A state topic as an event stream: its state first, known or not; then each newer one. */
import type { Address } from '../channels/address.ts';
import { newestOf, type OutgoingPorts } from '../delivery/messages.ts';
import type { TopicState, Topics } from '../ports/topics.ts';
import type { Outgoing } from '../protocol/encode.ts';
import { jsonMessage } from '../protocol/json-replies.ts';
import { formatEvent } from '../protocol/sse.ts';

export interface Piece {
  readonly text: string;
  /** Up to which offset the client has everything with it. */
  readonly upTo: number;
  /** The message as JSON clients get it; `null` = the piece has none. */
  readonly message: object | null;
}

export interface PiecePorts extends OutgoingPorts {
  readonly topics: Topics;
}

/** A stream, as its events depend on it. */
export interface Streaming {
  readonly address: Address;
  /** How long the client waits before it comes back. */
  readonly retryMs: number;
  /** The data of an event is the message as JSON clients get it. */
  readonly json: boolean;
}

/** A kind of topic, as pieces of a stream. */
export interface Pieces {
  first(stream: Streaming, state: TopicState, from: number, ports: PiecePorts): AsyncIterable<Piece>;
  /** The messages after `from`. */
  news(stream: Streaming, state: TopicState, from: number, ports: PiecePorts): AsyncIterable<Piece>;
  keepAlive(stream: Streaming, state: TopicState, ports: PiecePorts): string;
}

export const statePieces: Pieces = {
  async *first(stream, state, _, ports) {
    const { epoch, head } = state;
    const newest = newestOf(state, stream.address.channel, ports);
    const data = newest ? eventOf(stream, newest).data : unknownOf(stream, ports);
    const text = formatEvent('INIT', data, newest?.position ?? { epoch, offset: 0 }, stream.retryMs);
    yield { text, upTo: head, message: newest && jsonForm(newest) };
  },
  async *news(stream, state, _, ports) {
    const newest = newestOf(state, stream.address.channel, ports);
    if (newest) yield { text: eventText(stream, newest), upTo: state.head, message: jsonForm(newest) };
  },
  keepAlive(stream, state, ports) {
    const newest = newestOf(state, stream.address.channel, ports, true);
    return newest ? eventText(stream, newest) : formatEvent('KEEPALIVE', unknownOf(stream, ports), null, stream.retryMs);
  },
};

/** A message as an event; a repeat has no id of its own. */
export function eventText(stream: Streaming, message: Outgoing): string {
  const { name, data } = eventOf(stream, message);
  return formatEvent(name, data, message.repeatedAtMs === null ? message.position : null, stream.retryMs);
}

function eventOf({ address, json }: Streaming, message: Outgoing): { readonly name: string; readonly data: object } {
  const event = address.http.event(message.payload);
  return json ? { name: event.name, data: jsonForm(message) } : event;
}

/** A message as JSON clients get it. */
export const jsonForm = ({ payload, position, repeatedAtMs }: Outgoing): object =>
  jsonMessage(payload, repeatedAtMs === null ? position : undefined);

/** The data of a stream's first event while the topic has no message; in the JSON form there is none. */
const unknownOf = ({ address: { http, values }, json }: Streaming, { clock }: PiecePorts): object | null =>
  json ? null : (http.unknown?.(values, clock.now()) ?? {});

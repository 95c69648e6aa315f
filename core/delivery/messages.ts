/** Stored messages, made ready to be encoded. */
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogMessage, TopicState } from '../ports/topics.ts';
import type { Outgoing } from '../protocol/encode.ts';
import { referenceOf } from './large-messages.ts';

export interface OutgoingPorts {
  readonly channels: Channels;
  readonly clock: Clock;
}

/** A message of a log topic; `null` if the channel has nothing to deliver of it. */
export function logMessage(
  { topic, epoch }: TopicState,
  channel: Channel,
  { offset, value }: Pick<LogMessage, 'offset' | 'value'>,
  { channels, clock }: OutgoingPorts,
): Outgoing | null {
  const position = { epoch, offset };
  const { internal } = channel;
  const reference = referenceOf(value);
  if (reference) {
    const { payload, facets } = reference;
    const narrow = (wanted: readonly string[]) => (facets.some((facet) => wanted.includes(facet)) ? payload : null);
    return { topic, payload, position, internal, repeatedAtMs: null, narrow };
  }
  const { settings } = channels;
  const payload = channel.payload({ topic, parts: { newest: value }, nowMs: clock.now(), repeated: false, settings });
  return payload && { topic, payload, position, internal, repeatedAtMs: null, narrow: (wanted) => narrowed(channel, payload, wanted) };
}

/** The newest message of a state topic; `null` while there is none. `repeated`: it is delivered again although nothing is new. */
export function newestOf(state: TopicState, channel: Channel, { channels, clock }: OutgoingPorts, repeated = false): Outgoing | null {
  const { topic, epoch, head, parts } = state;
  const nowMs = clock.now();
  const { settings } = channels;
  const payload = head > 0 ? channel.payload({ topic, parts, nowMs, repeated, settings }) : null;
  if (!payload) return null;
  return {
    topic,
    payload,
    position: { epoch, offset: head },
    internal: channel.internal,
    repeatedAtMs: repeated ? nowMs : null,
    narrow: (wanted) => narrowed(channel, payload, wanted),
  };
}

/** A channel without filters lets everything through. */
const narrowed = ({ filtering }: Channel, payload: object, wanted: readonly string[]): object | null =>
  filtering ? filtering.narrow(payload, wanted) : payload;

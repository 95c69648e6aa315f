import type { Settings } from '../settings.ts';
import type { Channel, EventType, Message } from './channel.ts';

/** The channels of a deployment. */
export interface Channels {
  readonly all: readonly Channel[];
  /** How topics look, for the error about one that no channel has. */
  readonly hints: string;
  /** The channel of a topic; `null` if no channel has it. */
  of(topic: string): Channel | null;
  event(source: string, detailType: string): EventType | null;
  /** What a client gets of a message; `null` while there is nothing to deliver. */
  payload(channel: Channel, message: Omit<Message, 'settings'>): object | null;
  /** How long a topic is kept, in ms; `null` = for good. */
  lifeOf(topic: string): number | null;
}

export function channelsOf(all: readonly Channel[], settings: Settings): Channels {
  const of = (topic: string): Channel | null => all.find((channel) => channel.matches(topic)) ?? null;
  return {
    all,
    hints: all.map(({ topicHint }) => topicHint).join(', '),
    of,
    event(source, detailType) {
      const taking = all.find((channel) => channel.source === source && Object.hasOwn(channel.events, detailType));
      return taking?.events[detailType] ?? null;
    },
    payload: (channel, message) => channel.payload({ ...message, settings }),
    lifeOf: (topic) => of(topic)?.lifeMs ?? null,
  };
}

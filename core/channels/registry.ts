import { DEFAULT_FRESHNESS, type Freshness } from '../quote.ts';
import type { Channel, EventType } from './channel.ts';
import { priceChannel } from './price.ts';
import { reservationsChannel } from './reservations.ts';
import { waitingQueueChannel } from './waiting-queue.ts';

/** Every channel there is, made with the settings that theirs depend on. */
export interface Channels {
  /** The channel of a topic, or `null` where no channel has such a topic. */
  of(topic: string): Channel | null;
  event(source: string, detailType: string): EventType | null;
  readonly all: readonly Channel[];
  /** How topics look, for who asked for one that no channel has. */
  readonly hints: string;
}

export function channelsOf(all: readonly Channel[]): Channels {
  return {
    all,
    hints: all.map(({ topicHint }) => topicHint).join(', '),
    of: (topic) => all.find((channel) => channel.matches(topic)) ?? null,
    event(source, detailType) {
      const types = all.find((channel) => channel.source === source)?.events;
      return types && Object.hasOwn(types, detailType) ? (types[detailType] ?? null) : null;
    },
  };
}

export const makeChannels = (settings: { readonly freshness: Freshness }): Channels =>
  channelsOf([priceChannel(settings.freshness), waitingQueueChannel, reservationsChannel]);

/** How long a topic is kept, in ms; `null` = for good. */
export const lifeOf = (topic: string): number | null => CHANNELS.of(topic)?.lifeMs ?? null;
const CHANNELS = makeChannels({ freshness: DEFAULT_FRESHNESS });

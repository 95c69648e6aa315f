import { DEFAULT_FRESHNESS, type Freshness } from '../quote.ts';
import type { Channel, EventType } from './channel.ts';
import { alertChannel } from './ops/alert.ts';
import { logUpdateChannel } from './ops/log-update.ts';
import { poscoEventChannel } from './ops/posco-event.ts';
import { serviceEventChannel } from './ops/service-event.ts';
import { statusUpdateChannel } from './ops/status-update.ts';
import { webhookEventChannel } from './ops/webhook-event.ts';
import { priceChannel } from './price.ts';
import { reservationsChannel } from './reservations.ts';
import { waitingQueueChannel } from './waiting-queue.ts';

/** Every channel there is, made with the settings that theirs depend on. */
export interface Channels {
  /** The channel of a topic, or `null` where no channel has such a topic. */
  of(topic: string): Channel | null;
  event(source: string, detailType: string): EventType | null;
  readonly all: readonly Channel[];
  /** Topics that a client which announced itself is told unasked. */
  readonly broadcasts: readonly string[];
  /** How topics look, for who asked for one that no channel has. */
  readonly hints: string;
}

export function channelsOf(all: readonly Channel[]): Channels {
  return {
    all,
    broadcasts: all.flatMap(({ broadcast }) => broadcast ?? []),
    hints: all.map(({ topicHint }) => topicHint).join(', '),
    of: (topic) => all.find((channel) => channel.matches(topic)) ?? null,
    event(source, detailType) {
      const taking = all.find((channel) => channel.source === source && Object.hasOwn(channel.events, detailType));
      return taking?.events[detailType] ?? null;
    },
  };
}

export const makeChannels = (settings: { readonly freshness: Freshness }): Channels =>
  channelsOf([priceChannel(settings.freshness), waitingQueueChannel, reservationsChannel, ...OPERATIONS]);

/** In the order in which a client that announced itself is told them. */
const OPERATIONS = [statusUpdateChannel, serviceEventChannel, alertChannel, logUpdateChannel, webhookEventChannel, poscoEventChannel];

/** How long a topic is kept, in ms; `null` = for good. */
export const lifeOf = (topic: string): number | null => CHANNELS.of(topic)?.lifeMs ?? null;
const CHANNELS = makeChannels({ freshness: DEFAULT_FRESHNESS });

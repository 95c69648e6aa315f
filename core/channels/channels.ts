import type { Settings } from '../settings.ts';
import { canaryChannel } from './canary.ts';
import type { Channel, EventType } from './channel.ts';

export interface Taker {
  readonly channel: Channel;
  readonly type: EventType;
}

/** The channels of a deployment. */
export interface Channels {
  /** Those of its systems; canaries go their way without being listed. */
  readonly all: readonly Channel[];
  /** How topics look, for the error about one that no channel has. */
  readonly hints: string;
  /** The channel of a topic; `null` if no channel has it. */
  of(topic: string): Channel | null;
  /** The channel that takes an event, and how; `null` if none does. `also`: internal channels that take it too. */
  event(source: string, detailType: string): (Taker & { readonly also: readonly Taker[] }) | null;
  /** The settings that payloads are made with. */
  readonly settings: Settings;
  /** How long a topic is kept, in ms; `null` = for good. */
  lifeOf(topic: string): number | null;
}

/** The bus sources of some channels, each once. */
export const sourcesOf = (channels: readonly Pick<Channel, 'source'>[]): string[] => [...new Set(channels.map(({ source }) => source))];

const eventKey = (source: string, detailType: string): string => JSON.stringify([source, detailType]);

/** Every event's takers, made once: each event is looked up. */
function eventsOf(channels: readonly Channel[]): Map<string, NonNullable<ReturnType<Channels['event']>>> {
  const takers = new Map<string, Taker[]>();
  for (const channel of channels)
    for (const [name, type] of Object.entries(channel.events)) {
      const key = eventKey(channel.source, name);
      takers.set(key, [...(takers.get(key) ?? []), { channel, type }]);
    }
  return new Map(
    [...takers].map(([key, some]) => {
      const main = some.find(({ channel }) => !channel.internal) ?? (some[0] as Taker);
      return [key, { ...main, also: some.filter((one) => one.channel.internal && one.channel !== main.channel) }];
    }),
  );
}

export function channelsOf(all: readonly Channel[], settings: Settings): Channels {
  const served = [...all, ...sourcesOf(all).map(canaryChannel)];
  const of = (topic: string): Channel | null => {
    for (const channel of served) if (channel.matches(topic)) return channel;
    return null;
  };
  const events = eventsOf(served);
  return {
    all,
    hints: all.flatMap(({ internal, topicHint }) => (internal ? [] : [topicHint])).join(', ') || 'none',
    of,
    settings,
    event: (source, detailType) => events.get(eventKey(source, detailType)) ?? null,
    lifeOf: (topic) => of(topic)?.lifeMs ?? null,
  };
}

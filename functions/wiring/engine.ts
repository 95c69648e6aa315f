import { type Channels, channelsOf } from '../../core/channels/channels.ts';
import type { System } from '../../core/channels/system.ts';
import type { ClientMessages } from '../../core/protocol/json.ts';
import type { Settings } from '../../core/settings.ts';
import { systems } from '../../systems/index.ts';
import { readSettings } from '../adapters/env.ts';

export interface Engine {
  readonly systems: readonly System[];
  /** Of the systems. */
  readonly settings: Settings;
  readonly channels: Channels;
  readonly messages: ClientMessages;
}

/** The deployment's systems, with their settings. */
export function engine(): Engine {
  const settings = readSettings(systems.flatMap((system) => system.settings));
  return {
    systems,
    settings,
    channels: channelsOf(
      systems.flatMap(({ channels }) => channels),
      settings,
    ),
    messages: Object.assign({}, ...systems.map(({ messages }) => messages)),
  };
}

/** A topic's address over HTTP: its parameters, in the query of an event stream or the body of a registration. */
import { cut } from '../base/text.ts';
import { PushError } from '../errors.ts';
import type { Principal } from '../identity.ts';
import type { Channel, HttpForm } from './channel.ts';
import type { Channels } from './channels.ts';
import type { Given, Values } from './topic-pattern.ts';

export interface Address {
  readonly channel: Channel;
  readonly http: HttpForm;
  readonly topic: string;
  readonly values: Values;
}

/** The topic that a request names on a path of a channel. Throws if nothing is there, a parameter is wrong, or the caller may not subscribe. */
export function addressOf(
  kind: 'stream' | 'registrations',
  path: string,
  given: Given,
  principal: Principal | null,
  channels: Channels,
): Address {
  const { channel, http } = channelAt(kind, path, channels);
  const { topic, values } = http.read(given);
  if (!principal || !channel.permits(topic, principal)) throw new PushError('PERMISSION_DENIED', `${topic} is not yours`, { topic });
  return { channel, http, topic, values };
}

/** The channel whose stream or registrations have this path. Throws if there is none. */
export function channelAt(kind: 'stream' | 'registrations', path: string, { all }: Channels): { channel: Channel; http: HttpForm } {
  const channel = all.find(({ http }) => http?.[kind] === path);
  if (!channel?.http) throw new PushError('NOT_FOUND', `there is nothing at ${cut(path, 200)}`);
  return { channel, http: channel.http };
}

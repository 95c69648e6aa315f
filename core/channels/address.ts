/** How a topic is named over HTTP: by two whole numbers, in the query of an event stream or the body of a registration. */

import { PushError } from '../errors.ts';
import type { Principal } from '../identity.ts';
import type { Channel, HttpForm } from './channel.ts';
import type { Channels } from './channels.ts';

export interface Address {
  readonly channel: Channel;
  readonly http: HttpForm;
  readonly topic: string;
  readonly ids: Readonly<Record<string, number>>;
}

/** The channel that has this path as its stream or for its registrations. */
export function channelAt(kind: 'stream' | 'registrations', path: string, { all }: Channels): { channel: Channel; http: HttpForm } | null {
  const channel = all.find(({ http }) => http?.[kind] === path);
  return channel?.http ? { channel, http: channel.http } : null;
}

/** The topic that the parameters name. Throws where one is missing or no whole number, or the topic is somebody else's. */
export function addressOf(
  { channel, http }: { channel: Channel; http: HttpForm },
  given: Readonly<Record<string, unknown>>,
  principal: Principal | null,
): Address {
  const ids = Object.fromEntries(http.parameters.map((name) => [name, wholeNumber(name, given[name])]));
  const topic = http.topicOf(ids);
  if (!principal || !channel.permits(topic, principal)) throw new PushError('PERMISSION_DENIED', `${topic} is not yours`, { topic });
  return { channel, http, topic, ids };
}

/** A query's parameters, with digits as numbers. */
export const numbersIn = (query: Readonly<Record<string, string | undefined>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, /^\d{1,16}$/.test(value ?? '') ? Number(value) : value]));

function wholeNumber(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  const received = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing').slice(0, 100);
  throw new PushError('INVALID_MESSAGE_FORMAT', `${name}: expected a whole number from 0 up, got ${received}`, { parameter: name });
}

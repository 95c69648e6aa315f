/** Registrations over REST: where a user's next subscription starts, before the user connects. */
import * as v from 'valibot';
import type { Position } from '../base/position.ts';
import { jsonObject, parseJson } from '../base/validation.ts';
import { addressOf } from '../channels/address.ts';
import type { Channels } from '../channels/channels.ts';
import { checkMode } from '../channels/transports.ts';
import { KINDS } from '../delivery/kinds.ts';
import { PushError } from '../errors.ts';
import type { Principal } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Ports } from '../ports/ports.ts';

/** An unused registration lapses after a day. */
const REGISTRATION_MS = 86_400_000;

export interface RegistrationPorts extends Pick<Ports, 'topics' | 'registrations' | 'places' | 'notices' | 'clock' | 'newId'> {
  readonly channels: Channels;
  readonly mode: PushMode;
}

/**
 * Stores the topic's position: the user's next subscription that names no position starts there, so that nothing in
 * between is lost; it starts earlier where an event stream of the user may have been cut before its first event. Notifies upstreams. Registering again only postpones the lapse.
 */
export async function register(
  path: string,
  body: string,
  principal: Principal | null,
  ports: RegistrationPorts,
): Promise<{ readonly body: object; readonly position: Position }> {
  const { topics, registrations, places, notices, clock, channels } = ports;
  checkMode('websocket', ports.mode, channels);
  const given = v.safeParse(jsonObject, parseJson(body));
  if (!given.success) throw new PushError('INVALID_MESSAGE_FORMAT', 'expected a JSON object with the parameters of the topic');
  const { channel, http, topic, values } = addressOf('registrations', path, { body: given.output }, principal, channels);
  const state = await topics.create(topic);
  const offset = await KINDS[channel.kind].head(state, topics);
  // a client that changes from event streams to STOMP goes on where its stream was cut
  const place = channel.kind === 'log' ? await places.find(topic) : null;
  const position = place?.position ?? { epoch: state.epoch, offset };
  await registrations.register(topic, { position, stamp: ports.newId() }, clock.now() + REGISTRATION_MS);
  await notices.send('Registered', { ...http.notice(values), channel: channel.name, destination: topic });
  return { body: { transport: 'websocket', destination: topic }, position };
}

/** Deletes a registration if there is one, and notifies upstreams. */
export async function unregister(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  principal: Principal | null,
  { registrations, notices, channels }: RegistrationPorts,
): Promise<void> {
  const { channel, http, topic, values } = addressOf('registrations', path, { query }, principal, channels);
  await registrations.remove(topic);
  await notices.send('Unregistered', { ...http.notice(values), channel: channel.name, destination: topic });
}

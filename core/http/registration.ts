import * as v from 'valibot';
import { type Address, addressOf, channelAt, numbersIn } from '../channels/address.ts';
import type { Channels } from '../channels/channels.ts';
import { checkMode } from '../channels/transports.ts';
import { logHead } from '../delivery/replay-start.ts';
import { PushError } from '../errors.ts';
import { parseJson } from '../events/envelope.ts';
import type { Principal } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Audience, Clock, Notices, Registrations, Subscription, Topics } from '../ports.ts';

/** A registration that nobody came for lapses after a day. */
const REGISTRATION_MS = 86_400_000;

export interface RegistrationPorts {
  readonly topics: Topics;
  readonly registrations: Registrations;
  readonly notices: Notices;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly mode: PushMode;
  readonly newId: () => string;
}

/**
 * Remembers where a topic stands now: the user's next subscription that names no position starts there, so that
 * nothing is lost on the way. Tells the upstream. Registering again changes nothing but when it lapses.
 */
export async function register(path: string, body: string, principal: Principal | null, ports: RegistrationPorts): Promise<object> {
  checkMode('websocket', ports.mode, ports.channels);
  const given = v.safeParse(v.record(v.string(), v.unknown()), parseJson(body));
  if (!given.success) throw new PushError('INVALID_MESSAGE_FORMAT', 'expected a JSON object such as {"userId":100,"concertId":1}');
  const { channel, topic, ids } = at(path, given.output, principal, ports);
  const state = await ports.topics.create(topic);
  const offset = channel.kind === 'log' ? await logHead(state, ports.topics) : state.head;
  const registration = { position: { epoch: state.epoch, offset }, stamp: ports.newId() };
  await ports.registrations.register(topic, registration, ports.clock.now() + REGISTRATION_MS);
  await ports.notices.send('Registered', { userId: ids['userId'], channel: channel.name, destination: topic });
  return { transport: 'websocket', destination: topic };
}

/** Forgets a registration, where there is one, and tells the upstream. */
export async function unregister(
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  principal: Principal | null,
  ports: RegistrationPorts,
): Promise<void> {
  const { channel, topic, ids } = at(path, numbersIn(query), principal, ports);
  await ports.registrations.remove(topic);
  await ports.notices.send('Unregistered', { userId: ids['userId'], channel: channel.name, destination: topic });
}

/** A subscription that began at a registration has been told something: it knows a position of its own now. */
export async function useRegistration(
  subscription: Subscription,
  { registrations, audience }: { readonly registrations: Registrations; readonly audience: Audience },
): Promise<void> {
  if (subscription.registration === null) return;
  await registrations.useUp(subscription.topic, subscription.registration);
  await audience.forgetRegistration(subscription);
}

function at(path: string, given: Readonly<Record<string, unknown>>, principal: Principal | null, { channels }: RegistrationPorts): Address {
  const found = channelAt('registrations', path, channels);
  if (!found) throw new PushError('NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`);
  return addressOf(found, given, principal);
}

/** Subscriptions that a system makes for a client, so that it gets the outcome of what it asked for. */

import type { Channel } from '../channels/channel.ts';
import type { Subscriber } from '../delivery/first-delivery.ts';
import { subscribe } from '../delivery/subscribe.ts';
import type { Principal } from '../identity.ts';
import { keyOf, UNNAMED } from '../ports/audience.ts';
import { type MessagePorts, principalOf } from './session.ts';

/** Subscribes the client to a topic of an internal channel, from now on, without telling it. */
export async function listen(topic: string, filter: readonly string[] | null, subscriber: Subscriber, ports: MessagePorts): Promise<void> {
  const channel = ports.channels.of(topic);
  if (!channel?.internal) throw new Error(`${topic} is of no internal channel`);
  await subscribe([{ topic, channel, since: null, subscriptionId: UNNAMED, receipt: null, filter, unasked: true }], subscriber, ports);
}

/** Whether a subscription of the client's own brings it a message with this payload. */
export async function hears(topic: string, payload: object, { connection }: Subscriber, ports: MessagePorts): Promise<boolean> {
  const [there] = await ports.audience.find([keyOf(topic, UNNAMED, connection)]);
  const channel = ports.channels.of(topic);
  // one that announced itself may get its default subscriptions only just now: they start before its answer
  if (!there) return connection.defaults === 'all' && isPermitted(topic, channel, principalOf(connection, ports.identity));
  if (there.ended) return false;
  const filtering = channel?.filtering;
  return there.filter === null || !filtering || filtering.narrow(payload, there.filter) !== null;
}

const isPermitted = (topic: string, channel: Channel | null | undefined, principal: Principal | null): boolean =>
  principal !== null && (channel?.permits(topic, principal) ?? false);

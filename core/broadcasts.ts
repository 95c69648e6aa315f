/** Broadcasts that a client is told unasked, from its announcement until it chooses for itself. */

import type { SubscribePorts, Subscriber, Wish } from './delivery/subscribe.ts';
import { unsubscribe } from './delivery/unsubscribe.ts';
import type { Principal } from './identity.ts';
import { JSON_SUBSCRIPTION } from './ports.ts';

/** All broadcasts that the principal may see, unfiltered, from where they stand now: what comes while the client is still being answered belongs to it. */
export async function allBroadcasts(principal: Principal | null, ports: SubscribePorts): Promise<Wish[]> {
  const seen = ports.channels.all.flatMap((channel) => {
    const topic = channel.broadcast;
    return topic !== null && principal && channel.permits(topic, principal) ? [{ topic, channel }] : [];
  });
  if (seen.length === 0) return [];
  const states = await ports.topics.read(seen.map(({ topic }) => topic));
  return seen.map(({ topic, channel }) => {
    const state = states.get(topic);
    const now = { epoch: state?.epoch ?? '', offset: state?.head ?? 0 };
    const since = channel.kind === 'state' ? null : now;
    return { topic, channel, since, subscriptionId: JSON_SUBSCRIPTION, receipt: null, filter: null, unasked: true };
  });
}

/**
 * The client chooses: what came unasked ends, but for `kept`; also what is only just being subscribed to, for that
 * takes no place where a tombstone stands. What was asked for stands, whatever order it is served in: the tombstones
 * give way to every request. That it has chosen is noted last: one that fails half-way ends the rest with its next choice.
 */
export async function chooseBroadcasts({ connection }: Subscriber, kept: readonly string[], ports: SubscribePorts): Promise<void> {
  const { connectionId, broadcasts } = connection;
  if (broadcasts === 'chosen' || (await ports.connections.chooseUnlessAll(connectionId))) return;
  const ending = ports.channels.broadcasts.filter((topic) => !kept.includes(topic));
  await unsubscribe(
    ending.map((topic) => ({ topic, subscriptionId: JSON_SUBSCRIPTION })),
    { connection, requestedAtMs: null },
    ports,
  );
  await ports.connections.choose(connectionId);
}

/** A client announces itself. Until it chooses, it has the default subscriptions that its system gives it. */
import { expiryOf } from '../base/lifetimes.ts';
import type { Defaults } from '../channels/system.ts';
import { countConnection } from '../connections/client-limit.ts';
import { refuse } from '../connections/refuse.ts';
import { reply } from '../connections/reply.ts';
import type { Subscriber, Wish } from '../delivery/first-delivery.ts';
import { KINDS } from '../delivery/kinds.ts';
import { subscribe } from '../delivery/subscribe.ts';
import { unsubscribe } from '../delivery/unsubscribe.ts';
import { PushError } from '../errors.ts';
import type { Announcement } from '../ports/announcements.ts';
import { UNNAMED } from '../ports/audience.ts';
import type { Connection } from '../ports/connections.ts';
import { type MessagePorts, principalOf } from './session.ts';

/** Counts the connection under the announced client id, stores the announcement, answers it, and subscribes to the default topics. */
export async function announce(
  announcement: Announcement,
  { topics, explicit }: Defaults,
  answer: () => Promise<string>,
  subscriber: Subscriber,
  ports: MessagePorts,
): Promise<void> {
  const { connection } = subscriber;
  const { connectionId, connectedAtMs } = connection;
  // it is counted under its first id: every other one would leave a trace
  const announced = connection.announced ?? announcement.clientId;
  const takeBack = await countOrClose({ ...connection, announced }, connection, ports);
  if (!takeBack) return;
  const stands = await ports.announcements.announce(connectionId, announcement, explicit ? 'chosen' : 'all', expiryOf(connectedAtMs));
  if (stands?.announced !== announced) await takeBack();
  if (stands === null) return;
  ports.report.info('client info', { connectionId, announced: announcement.clientId });
  // the positions are read before the answer: what is committed while the client is being answered belongs to it
  const wishes = stands.defaults === 'all' ? await defaultWishes(topics, connection, ports) : [];
  await reply(connectionId, await answer(), ports);
  await subscribe(wishes, subscriber, ports);
}

/** The way to take the count back; `null` if the client has too many connections, and this one is served no longer. */
async function countOrClose(connection: Connection, before: Connection, ports: MessagePorts): Promise<(() => Promise<void>) | null> {
  try {
    return await countConnection(connection, before, ports);
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    await refuse(before, error, ports);
    return null;
  }
}

/** The default topics that the client may subscribe to, unfiltered, from where they stand now. */
async function defaultWishes(topics: readonly string[], connection: Connection, ports: MessagePorts): Promise<Wish[]> {
  const principal = principalOf(connection, ports.identity);
  const permitted = topics.flatMap((topic) => {
    const channel = ports.channels.of(topic);
    return channel && principal && channel.permits(topic, principal) ? [{ topic, channel }] : [];
  });
  if (permitted.length === 0) return [];
  const states = await ports.topics.read(permitted.map(({ topic }) => topic));
  return permitted.map(({ topic, channel }) => {
    const since = KINDS[channel.kind].sinceNow(states.get(topic));
    return { topic, channel, since, subscriptionId: UNNAMED, receipt: null, filter: null, unasked: true };
  });
}

/**
 * The client chooses among `defaults`: its default subscriptions end, but for `kept`. One that is only just being made
 * ends too, since it takes no place where a tombstone stands. Subscriptions that were asked for stay, in whatever order
 * the requests are served: these tombstones give way to every request. That the client has chosen is stored last: if this
 * fails half-way, its next choice ends the rest.
 */
export async function endDefaults(
  defaults: readonly string[],
  kept: readonly string[],
  { connection }: Subscriber,
  ports: MessagePorts,
): Promise<void> {
  const { connectionId } = connection;
  if (defaults.length === 0 || connection.defaults === 'chosen' || (await ports.announcements.chooseUnlessAll(connectionId))) return;
  const ending = defaults.filter((topic) => !kept.includes(topic));
  await unsubscribe(
    ending.map((topic) => ({ topic, subscriptionId: UNNAMED })),
    { connection, requestedAtMs: null },
    ports,
  );
  await ports.announcements.choose(connectionId);
}

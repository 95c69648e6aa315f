/**
 * Subscribe: answers the client, delivers what is known, and only then makes the subscription. Its phases, for each topic:
 *
 * 1. **Listen.** The topic is marked as heard, so that its events are drained.
 * 2. **First delivery** (`first-state.ts`, `first-log.ts`): `subscribed` or RECEIPT, then the state or the replay.
 * 3. **Put** the subscription, as late. What was committed in between reaches it by a drain.
 * 4. **Look at the head once more.** Nothing came: it is late no longer. Otherwise a drain job delivers the rest.
 *
 * To a subscription that exists, or has just ended, only the drain posts: naming a topic again marks it late.
 */
import { expiryOf } from '../base/lifetimes.ts';
import { BEFORE_ALL } from '../base/position.ts';
import type { Kind } from '../channels/channel.ts';
import { type KnownSubscription, keyOf, type Subscription, type SubscriptionKey } from '../ports/audience.ts';
import type { Ports } from '../ports/ports.ts';
import type { TopicState } from '../ports/topics.ts';
import type { FirstDelivery, Made, SubscribePorts, Subscriber, Wish } from './first-delivery.ts';
import { replayLog } from './first-log.ts';
import { deliverState } from './first-state.ts';
import { KINDS } from './kinds.ts';
import { useRegistration } from './registrations.ts';

const AT_ONCE = 16;

/** Longer than any connection, and its subscriptions, may live. */
const OUTLIVES_MS = 86_400_000;

const FIRST: Readonly<Record<Kind, FirstDelivery>> = { state: deliverState, log: replayLog };

/**
 * Subscribes a connection to topics, one after another: the replies to one message go in order. Returns those for which
 * there was no time: `goOn` is asked before each but the first.
 */
export async function subscribe(
  wishes: readonly Wish[],
  subscriber: Subscriber,
  ports: SubscribePorts,
  goOn: () => boolean = () => true,
): Promise<readonly Wish[]> {
  if (wishes.length === 0) return [];
  const keys = wishes.map(({ topic, subscriptionId }) => keyOf(topic, subscriptionId, subscriber.connection));
  const [states, known] = await Promise.all([ports.topics.read(wishes.map(({ topic }) => topic)), ports.audience.find(keys)]);
  const settling: Promise<void>[] = [];
  try {
    // each is settled while the next one is answered
    for (const [index, wish] of wishes.entries()) {
      if (index > 0 && !goOn()) return wishes.slice(index);
      const there = known[index] ?? null;
      // a default subscription takes the place of nothing
      if (wish.unasked && there) continue;
      const before = states.get(wish.topic);
      const state = before && isHeard(before, ports.clock.now()) ? before : await listen(wish.topic, ports);
      const made = await FIRST[wish.channel.kind](wish, state, there, subscriber, ports);
      if (made === 'gone') return [];
      if (made === 'stands') continue;
      const subscription = subscriptionOf(keys[index] as SubscriptionKey, wish, made, subscriber, ports.newId());
      const settled = settle(wish, subscription, made, there, subscriber, ports);
      settled.catch(() => undefined);
      settling.push(settled);
      if (settling.length >= AT_ONCE) await settling.shift();
    }
    return [];
  } finally {
    await Promise.all(settling);
  }
}

/** Claims a client's own id for one subscription. False if the client has it already. */
export const claim = (
  { topic, subscriptionId }: Pick<Wish, 'topic' | 'subscriptionId'>,
  { connection, requestedAtMs }: Subscriber,
  { ownSubscriptions }: Pick<Ports, 'ownSubscriptions'>,
): Promise<boolean> => ownSubscriptions.claim(keyOf(topic, subscriptionId, connection), requestedAtMs, expiryOf(connection.connectedAtMs));

const subscriptionOf = (
  key: SubscriptionKey,
  { filter }: Wish,
  { from, registration }: Made,
  { connection: { dialect } }: Subscriber,
  mark: string,
): Subscription => ({ ...key, dialect, from, late: mark, notBeforeMs: 0, strikes: 0, filter, registration });

/** A topic that may soon be forgotten counts as unheard: it must outlive every subscription to it. */
const isHeard = ({ heard, expiresAtMs }: TopicState, nowMs: number): boolean =>
  heard && (expiresAtMs === null || expiresAtMs - nowMs > OUTLIVES_MS);

/** Writes the catalogue first: the sweep finds heard topics there, and could never clear one that is not listed. */
async function listen(topic: string, { catalogue, topics, clock }: SubscribePorts): Promise<TopicState> {
  await catalogue.addHeard(topic, clock.now());
  return topics.hear(topic);
}

/** Puts the subscription, then looks at the head once more. */
async function settle(
  wish: Wish,
  subscription: Subscription,
  made: Made,
  there: KnownSubscription | null,
  { connection, requestedAtMs }: Subscriber,
  ports: SubscribePorts,
): Promise<void> {
  const { topics, audience, ownSubscriptions, jobs } = ports;
  const { topic, shard, from } = subscription;
  const { unasked, channel } = wish;
  const kind = KINDS[channel.kind];
  const expiresAtMs = expiryOf(connection.connectedAtMs);
  const note = () => ownSubscriptions.add(subscription, requestedAtMs, expiresAtMs, unasked);
  // ending a default subscription takes its note back: so the note must not come after that
  if (unasked) await note();
  const outcome = await audience.put(subscription, unasked ? null : requestedAtMs, expiresAtMs);
  if (outcome === 'overtaken') return unasked ? takeBackNote(subscription, ports) : undefined;
  // STOMP clients name their subscriptions, and claimed this one before it was answered
  if (!unasked && subscription.dialect === 'json') await note();
  // another request of the same client came in between: a drain may have delivered more than this handler, and earlier
  const unexpected = outcome === 'replaced' && there === null && !made.owed;
  if (unexpected && kind.repeatsNewest) await audience.markLate(subscription, BEFORE_ALL, ports.newId());
  const seen = (await topics.read([topic])).get(topic);
  const state = seen?.heard ? seen : await listen(topic, ports);
  const complete = !made.owed && there === null && !unexpected && !(await kind.hasMore(state, from, topics));
  if (!complete) return jobs.put({ kind: 'drain', topic, shard });
  await audience.caughtUp(subscription, from);
  if (made.replayed && made.registration !== null) await useRegistration(subscription, made.registration, ports);
}

/** Something stood in the way of a default subscription: one that stays, or a tombstone. */
async function takeBackNote(key: SubscriptionKey, { audience, ownSubscriptions }: SubscribePorts): Promise<void> {
  const [there] = await audience.find([key]);
  if (there?.ended) await ownSubscriptions.remove(key, 'unasked');
}

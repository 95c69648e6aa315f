import { expiryOf } from '../base/lifetimes.ts';
import { BEFORE_ALL, type Position } from '../base/position.ts';
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { answer } from '../connections/reply.ts';
import { useRegistration } from '../http/registration.ts';
import type {
  Audience,
  Catalogue,
  Clock,
  Connection,
  Connections,
  Found,
  Gateway,
  Jobs,
  LogMessage,
  PostResult,
  Registrations,
  Subscription,
  SubscriptionKey,
  TopicState,
  Topics,
} from '../ports.ts';
import { encode, encodeSubscribed, type Outgoing } from '../protocol/encode.ts';
import { logMessage, newestOf, readLogAfter } from './backlog.ts';
import { startOf } from './replay-start.ts';

/** All of an audience, until topics have several shards. */
export const ONLY_SHARD = 0;

/** A replay goes on by post until so near the head; the drain gives the rest. */
const NEAR_HEAD = 50;

/** A handler replays no longer than this: its function, and whoever waits for its answers, have only so much time. */
const REPLAY_MS = 5_000;

const AT_ONCE = 16;

/** Longer than any connection, and its subscriptions, may live. */
const OUTLIVES_MS = 86_400_000;

export interface SubscribePorts {
  readonly topics: Topics;
  readonly audience: Audience;
  readonly connections: Connections;
  readonly registrations: Registrations;
  readonly catalogue: Catalogue;
  readonly gateway: Gateway;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly channels: Channels;
}

export interface Wish {
  readonly topic: string;
  readonly channel: Channel;
  readonly since: Position | null;
  readonly subscriptionId: string;
  /** STOMP: the receipt that was asked for. */
  readonly receipt: string | null;
  readonly filter: readonly string[] | null;
  /** It comes with the announcement, and is not answered. */
  readonly unasked: boolean;
}

export interface Subscriber {
  readonly connection: Connection;
  readonly requestedAtMs: number;
}

/** Where a subscription begins after its client was answered. */
interface Start {
  readonly from: number;
  /** Everything up to `from` was told; else a drain must tell it. */
  readonly told: boolean;
  /** Something was told. */
  readonly replayed: boolean;
  readonly registration: string | null;
}
/** `gone`: the client has left; `stands`: it has the subscription already, which stays as it is. */
type First = Start | 'gone' | 'stands';

/**
 * Subscribes a connection to topics: tells it the state or the replay first and puts the subscription only then, as
 * late, so that whatever came in between reaches it by a drain. To a subscription that exists, or has only just
 * ended, only the drain posts: naming a topic again marks it late.
 */
export async function subscribe(wishes: readonly Wish[], subscriber: Subscriber, ports: SubscribePorts): Promise<void> {
  if (wishes.length === 0) return;
  const keys = wishes.map(({ topic, subscriptionId }) => keyOf(topic, subscriptionId, subscriber.connection));
  const [states, known] = await Promise.all([ports.topics.read(wishes.map(({ topic }) => topic)), ports.audience.find(keys)]);
  const settling: Promise<void>[] = [];
  try {
    // one after another: replies to one message go in order; each is settled while the next is told
    for (const [index, wish] of wishes.entries()) {
      const there = known[index] ?? null;
      // what comes unasked takes the place of nothing
      if (wish.unasked && there) continue;
      const before = states.get(wish.topic);
      const state = before && isHeard(before, ports.clock.now()) ? before : await listen(wish.topic, ports);
      const first = await tellFirst(wish, state, there, subscriber, ports);
      if (first === 'gone') return;
      if (first === 'stands') continue;
      const key = keys[index] as SubscriptionKey;
      const { dialect } = subscriber.connection;
      const { from, registration } = first;
      const { filter, unasked } = wish;
      const subscription = { ...key, dialect, from, late: true, notBeforeMs: 0, strikes: 0, filter, registration };
      const told = { toldAll: first.told && there === null, replayed: first.replayed, unasked };
      const settled = settle(subscription, told, subscriber, ports);
      settled.catch(() => undefined);
      settling.push(settled);
      if (settling.length >= AT_ONCE) await settling.shift();
    }
  } finally {
    await Promise.all(settling);
  }
}

/** Claims a client's own id for one subscription. False where it has it already. */
export const claim = (
  { topic, subscriptionId }: Pick<Wish, 'topic' | 'subscriptionId'>,
  { connection, requestedAtMs }: Subscriber,
  { connections }: Pick<SubscribePorts, 'connections'>,
): Promise<boolean> =>
  connections.claimSubscription(
    connection.connectionId,
    keyOf(topic, subscriptionId, connection),
    requestedAtMs,
    expiryOf(connection.connectedAtMs),
  );

const isClaimed = ({ dialect }: Subscription): boolean => dialect !== 'json';

export const keyOf = (topic: string, subscriptionId: string, { connectionId }: Connection): SubscriptionKey => ({
  topic,
  shard: ONLY_SHARD,
  connectionId,
  subscriptionId,
});

/** A topic that may soon be forgotten is asked for again: it must outlive every subscription to it. */
const isHeard = ({ heard, expiresAtMs }: TopicState, nowMs: number): boolean =>
  heard && (expiresAtMs === null || expiresAtMs - nowMs > OUTLIVES_MS);

/** The catalogue first: a topic that is heard without standing there would never be unheard again. */
async function listen(topic: string, { catalogue, topics, clock }: SubscribePorts): Promise<TopicState> {
  await catalogue.addHeard(topic, clock.now());
  return topics.hear(topic);
}

/** Answers the subscribe and tells what is known now. */
const tellFirst = (wish: Wish, state: TopicState, there: Found | null, subscriber: Subscriber, ports: SubscribePorts): Promise<First> =>
  wish.channel.kind === 'state' ? tellState(wish, state, there, subscriber, ports) : tellLog(wish, state, there, subscriber, ports);

async function tellState(
  wish: Wish,
  state: TopicState,
  there: Found | null,
  { connection }: Subscriber,
  ports: SubscribePorts,
): Promise<First> {
  const { since, channel } = wish;
  const recovered = since === null ? null : since.epoch === state.epoch && since.offset === state.head;
  const said = await sayFirst(wish, connection, { epoch: state.epoch, offset: state.head }, recovered, ports);
  if (said.result !== 'sent') return 'gone';
  const start = { from: state.head, told: true, replayed: false, registration: null };
  if (recovered) return start;
  if (there) return { ...start, from: BEFORE_ALL, told: false };
  const newest = newestOf(state, channel, ports.clock.now());
  const told = newest ? await said.post(newest) : 'sent';
  return told === 'gone' ? 'gone' : told === 'sent' ? start : { ...start, from: BEFORE_ALL, told: false };
}

async function tellLog(
  wish: Wish,
  state: TopicState,
  there: Found | null,
  { connection, requestedAtMs }: Subscriber,
  ports: SubscribePorts,
): Promise<First> {
  const { topic, since, channel } = wish;
  const stands = there !== null && !there.ended;
  const registration = since === null && !stands && channel.http ? await ports.registrations.find(topic) : null;
  const wanted = since ?? registration?.position ?? null;
  const { start, head, whole, first: page } = await startOf(wanted, state, channel.history, ports);
  const said = await sayFirst(wish, connection, { epoch: state.epoch, offset: head }, since === null ? null : whole, ports);
  if (said.result !== 'sent') return 'gone';
  if (since === null && stands && (await ports.audience.renew(there, wish.filter, requestedAtMs))) {
    // what came unasked is now asked for
    if (channel.broadcast !== null && connection.broadcasts !== 'chosen')
      await ports.connections.addSubscription(connection.connectionId, there, requestedAtMs, expiryOf(connection.connectedAtMs));
    return 'stands';
  }
  const first = { from: start, told: true, replayed: false, registration: registration?.stamp ?? null };
  if (wanted === null || there) return first;
  const told = await replay(wish, state, { start, page }, said.post, ports);
  return told === 'gone' ? 'gone' : { ...first, ...told, replayed: told.from > start };
}

/** What answers a subscriber and tells it what comes first: `recovered` travels on the answer, or else on the first message. */
interface Said {
  readonly result: PostResult;
  readonly post: (message: Outgoing) => Promise<PostResult>;
}

async function sayFirst(
  wish: Wish,
  connection: Connection,
  head: Position,
  recovered: boolean | null,
  ports: SubscribePorts,
): Promise<Said> {
  const { connectionId, dialect } = connection;
  const text = encodeSubscribed(wish, dialect, head, recovered);
  const result = text === null ? 'sent' : await answer(connectionId, text, ports);
  let untold = text === null ? recovered : null;
  return {
    result,
    async post(message) {
      const { subscriptionId, filter } = wish;
      const text = encode(message, { dialect, subscriptionId, filter }, untold);
      if (text === null) return 'sent';
      const told = await ports.gateway.post(connectionId, text);
      if (told === 'sent') untold = null;
      return told;
    },
  };
}

/** Posts what came since, until near the head, or until the peer is throttled or it took too long: the drain tells the rest. */
async function replay(
  { channel }: Wish,
  state: TopicState,
  { start, page }: { start: number; page: readonly LogMessage[] },
  post: Said['post'],
  { topics, clock }: SubscribePorts,
): Promise<{ from: number; told: boolean } | 'gone'> {
  const untilMs = clock.now() + REPLAY_MS;
  let last = start;
  for (let messages = page; ; messages = (await readLogAfter(state, last, topics)).messages) {
    for (const stored of messages) {
      const message = logMessage(state, channel, stored, clock.now());
      const result = message ? await post(message) : 'sent';
      if (result === 'gone') return 'gone';
      if (result === 'slow') return { from: last, told: false };
      last = stored.offset;
    }
    if (messages.length <= NEAR_HEAD) return { from: last, told: true };
    if (clock.now() > untilMs) return { from: last, told: false };
  }
}

/** Puts the subscription, then looks at the head once more: what came in between is a drain's to tell. */
async function settle(
  subscription: Subscription,
  { toldAll, replayed, unasked }: { toldAll: boolean; replayed: boolean; unasked: boolean },
  { connection, requestedAtMs }: Subscriber,
  ports: SubscribePorts,
): Promise<void> {
  const { topics, audience, connections, jobs } = ports;
  const { topic, shard } = subscription;
  const expiresAtMs = expiryOf(connection.connectedAtMs);
  const note = () => connections.addSubscription(connection.connectionId, subscription, requestedAtMs, expiresAtMs, unasked);
  // who ends what is unasked takes back the note too: so it must not come after that
  if (unasked) await note();
  const outcome = await audience.put(subscription, unasked ? null : requestedAtMs, expiresAtMs);
  if (outcome === 'overtaken') return unasked ? takeBackNote(subscription, ports) : undefined;
  // a client that names its subscriptions claimed this one before it was answered
  if (!unasked && !isClaimed(subscription)) await note();
  // another request of the same client got in between: a drain may have told more than this handler, and earlier
  const unexpected = outcome === 'replaced' && toldAll;
  if (unexpected && ports.channels.of(topic)?.kind === 'state') await audience.markLate(subscription, BEFORE_ALL);
  const seen = (await topics.read([topic])).get(topic);
  const state = seen?.heard ? seen : await listen(topic, ports);
  const nothingCame = toldAll && !unexpected && state.head <= subscription.from && !(await logHasMore(state, subscription, ports));
  if (!nothingCame) return jobs.put({ kind: 'drain', topic, shard });
  await audience.caughtUp(subscription, subscription.from, subscription.from);
  if (replayed) await useRegistration(subscription, ports);
}

/** What stands in the way of an unasked one may be one that stays, or a tombstone. */
async function takeBackNote(key: SubscriptionKey, { audience, connections }: SubscribePorts): Promise<void> {
  const [there] = await audience.find([key]);
  if (there?.ended) await connections.removeSubscription(key.connectionId, key, 'unasked');
}

/** A log's head is a hint: a message may lie beyond it already. */
async function logHasMore(state: TopicState, { topic, from }: Subscription, { channels, topics }: SubscribePorts): Promise<boolean> {
  return channels.of(topic)?.kind === 'log' && (await readLogAfter(state, from, topics)).messages.length > 0;
}

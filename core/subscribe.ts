import { bounded } from './bounded.ts';
import type { Channel } from './channels/channel.ts';
import type { Channels } from './channels/registry.ts';
import { expiryOf } from './connect.ts';
import type {
  Audience,
  Catalogue,
  Clock,
  Connection,
  Connections,
  Gateway,
  Jobs,
  Subscription,
  SubscriptionKey,
  TopicState,
  Topics,
} from './ports.ts';
import { BEFORE_ALL, type Position } from './position.ts';
import { formatJson, formatSubscribed } from './protocol/json.ts';
import { LOG_PAGE, newestOf, readLogAfter } from './round.ts';

/** All of an audience, until topics have several shards. */
export const ONLY_SHARD = 0;

/** A replay goes on by post until so near the head; the drain gives the rest. */
const NEAR_HEAD = 50;

const AT_ONCE = 16;

export interface SubscribePorts {
  readonly topics: Topics;
  readonly audience: Audience;
  readonly connections: Connections;
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
}

export interface Subscriber {
  readonly connection: Connection;
  readonly requestedAtMs: number;
}

/**
 * Subscribes a connection to topics: tells it the state or the replay first and puts the subscription only then, as
 * late, so that whatever came in between reaches it by a drain. To a subscription that exists only the drain posts:
 * naming a topic again marks it late.
 */
export async function subscribe(wishes: readonly Wish[], subscriber: Subscriber, ports: SubscribePorts): Promise<void> {
  const keys = wishes.map(({ topic }) => keyOf(topic, subscriber.connection));
  const [states, known] = await Promise.all([ports.topics.read(wishes.map(({ topic }) => topic)), ports.audience.find(keys)]);
  const told: { wish: Wish; subscription: Subscription; again: boolean }[] = [];
  // one after another: replies to one message go in order
  for (const [index, wish] of wishes.entries()) {
    const before = states.get(wish.topic);
    const state = before?.heard ? before : await listen(wish.topic, ports);
    const again = known[index] !== null;
    const from = await tellFirst(wish, state, again, subscriber, ports);
    if (from === null) return;
    const key = keys[index] as SubscriptionKey;
    told.push({ wish, again, subscription: { ...key, dialect: 'json', from, late: true, notBeforeMs: 0, strikes: 0 } });
  }
  await bounded(told, AT_ONCE, ({ subscription, again }) => settle(subscription, again, subscriber, ports));
}

const keyOf = (topic: string, connection: Connection): SubscriptionKey => ({
  topic,
  shard: ONLY_SHARD,
  connectionId: connection.connectionId,
  subscriptionId: connection.dialect,
});

/** The catalogue first: a topic that is heard without standing there would never be unheard again. */
async function listen(topic: string, { catalogue, topics, clock }: SubscribePorts): Promise<TopicState> {
  await catalogue.addHeard(topic, clock.now());
  return topics.hear(topic);
}

/** Says `subscribed` and tells what is known now. Gives up to where it was told, or `null` where the peer has gone. */
async function tellFirst(
  wish: Wish,
  state: TopicState,
  again: boolean,
  { connection }: Subscriber,
  ports: SubscribePorts,
): Promise<number | null> {
  const { topic, channel, since } = wish;
  const post = async (frame: string) => (await ports.gateway.post(connection.connectionId, frame)) === 'sent';
  const known = since !== null && since.epoch === state.epoch && since.offset <= state.head ? since.offset : null;

  if (channel.kind === 'state') {
    const recovered = since === null ? null : known === state.head;
    if (!(await post(formatSubscribed(topic, { epoch: state.epoch, offset: state.head }, recovered)))) return null;
    if (again) return recovered ? state.head : BEFORE_ALL;
    const newest = recovered ? null : newestOf(state, channel, ports.clock.now());
    return newest && !(await post(newest.frame)) ? null : state.head;
  }

  const start = known ?? (since === null ? await logHead(state, ports.topics) : 0);
  const first = since === null ? [] : (await readLogAfter(state, start, ports.topics)).messages;
  const whole = known !== null && (first[0]?.offset ?? known + 1) === known + 1;
  if (!(await post(formatSubscribed(topic, { epoch: state.epoch, offset: Math.max(state.head, start) }, since === null ? null : whole))))
    return null;
  return again || since === null ? start : replay(wish, state, start, post, ports);
}

async function logHead(state: TopicState, topics: Topics): Promise<number> {
  for (let head = state.head; ; ) {
    const { messages } = await readLogAfter({ ...state, head }, head, topics);
    head = messages.at(-1)?.offset ?? head;
    if (messages.length < LOG_PAGE) return head;
  }
}

/** Posts what came since, until near the head. */
async function replay(
  { topic, channel }: Wish,
  state: TopicState,
  start: number,
  post: (frame: string) => Promise<boolean>,
  { topics, clock }: SubscribePorts,
): Promise<number | null> {
  let last = start;
  for (;;) {
    const { messages } = await readLogAfter(state, last, topics);
    for (const { offset, value } of messages) {
      const message = channel.json({ topic, parts: { newest: value }, nowMs: clock.now(), retold: false });
      if (message && !(await post(formatJson(message, { epoch: state.epoch, offset })))) return null;
      last = offset;
    }
    if (messages.length <= NEAR_HEAD) return last;
  }
}

/** Puts the subscription, then looks at the head once more: what came in between is a drain's to tell. */
async function settle(
  subscription: Subscription,
  again: boolean,
  { connection, requestedAtMs }: Subscriber,
  ports: SubscribePorts,
): Promise<void> {
  const { topics, audience, connections, jobs } = ports;
  const expiresAtMs = expiryOf(connection.connectedAtMs);
  const [outcome] = await Promise.all([
    audience.put(subscription, requestedAtMs, expiresAtMs),
    connections.addSubscription(connection.connectionId, subscription, requestedAtMs, expiresAtMs),
  ]);
  if (outcome === 'overtaken') return;
  const seen = (await topics.read([subscription.topic])).get(subscription.topic);
  const state = seen?.heard ? seen : await listen(subscription.topic, ports);
  if (!again && state.head === subscription.from && !(await logHasMore(state, subscription, ports)))
    await audience.caughtUp(subscription, subscription.from, state.head);
  else await jobs.put({ kind: 'drain', topic: subscription.topic, shard: subscription.shard });
}

/** A log's head is a hint: a message may lie beyond it already. */
async function logHasMore(state: TopicState, { topic, from }: Subscription, { channels, topics }: SubscribePorts): Promise<boolean> {
  return channels.of(topic)?.kind === 'log' && (await readLogAfter(state, from, topics)).messages.length > 0;
}

/** Ends subscriptions. A tombstone keeps a subscribe that was overtaken from coming back to life. */
export async function unsubscribe(
  topics: readonly string[],
  { connection, requestedAtMs }: Subscriber,
  ports: Pick<SubscribePorts, 'audience' | 'connections'>,
): Promise<void> {
  await bounded(topics, AT_ONCE, async (topic) => {
    const key = keyOf(topic, connection);
    await ports.audience.end(key, requestedAtMs, expiryOf(connection.connectedAtMs));
    await ports.connections.removeSubscription(connection.connectionId, key);
  });
}

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
  PostResult,
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

/** Up to which offset a topic was told; `later` where a drain must tell it, `gone` where the peer has left or hears nothing. */
type Told = number | 'later' | 'gone';

/** A peer that is throttled while it is answered is given so much time, in ms, before its answer is given up. */
const PATIENCE_MS = [300, 1_000] as const;

/**
 * Subscribes a connection to topics: tells it the state or the replay first and puts the subscription only then, as
 * late, so that whatever came in between reaches it by a drain. To a subscription that exists, or has only just
 * ended, only the drain posts: naming a topic again marks it late.
 */
export async function subscribe(wishes: readonly Wish[], subscriber: Subscriber, ports: SubscribePorts): Promise<void> {
  const keys = wishes.map(({ topic }) => keyOf(topic, subscriber.connection));
  const [states, known] = await Promise.all([ports.topics.read(wishes.map(({ topic }) => topic)), ports.audience.find(keys)]);
  const settling: Promise<void>[] = [];
  try {
    // one after another: replies to one message go in order; each is settled while the next is told
    for (const [index, wish] of wishes.entries()) {
      const before = states.get(wish.topic);
      const state = before?.heard ? before : await listen(wish.topic, ports);
      const again = known[index] !== null;
      const told = await tellFirst(wish, state, again, subscriber, ports);
      if (told === 'gone') return;
      const key = keys[index] as SubscriptionKey;
      const from = told === 'later' ? BEFORE_ALL : told;
      const settled = settle(
        { ...key, dialect: 'json', from, late: true, notBeforeMs: 0, strikes: 0 },
        told !== 'later' && !again,
        subscriber,
        ports,
      );
      settled.catch(() => undefined);
      settling.push(settled);
      if (settling.length >= AT_ONCE) await settling.shift();
    }
  } finally {
    await Promise.all(settling);
  }
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

/** Says `subscribed` and tells what is known now. */
async function tellFirst(wish: Wish, state: TopicState, again: boolean, { connection }: Subscriber, ports: SubscribePorts): Promise<Told> {
  const { topic, channel, since } = wish;
  const post = (frame: string) => ports.gateway.post(connection.connectionId, frame);
  const known = since !== null && since.epoch === state.epoch && since.offset <= state.head ? since.offset : null;

  if (channel.kind === 'state') {
    const recovered = since === null ? null : known === state.head;
    const answered = await answer(formatSubscribed(topic, { epoch: state.epoch, offset: state.head }, recovered), post, ports);
    if (answered !== 'sent') return 'gone';
    if (recovered) return state.head;
    if (again) return 'later';
    const newest = newestOf(state, channel, ports.clock.now());
    const told = newest ? await post(newest.frame) : 'sent';
    return told === 'sent' ? state.head : told === 'gone' ? 'gone' : 'later';
  }

  const start = known ?? (since === null ? await logHead(state, ports.topics) : 0);
  const first = since === null ? [] : (await readLogAfter(state, start, ports.topics)).messages;
  const whole = known !== null && (first[0]?.offset ?? state.head + 1) === known + 1;
  const subscribed = formatSubscribed(topic, { epoch: state.epoch, offset: Math.max(state.head, start) }, since === null ? null : whole);
  const answered = await answer(subscribed, post, ports);
  if (answered !== 'sent') return 'gone';
  return again || since === null ? start : replay(wish, state, start, post, ports);
}

/** An answer is worth some patience: a client that was told nothing believes it is not subscribed, and must be right. */
async function answer(frame: string, post: (frame: string) => Promise<PostResult>, { clock }: SubscribePorts): Promise<PostResult> {
  let result = await post(frame);
  for (const pause of PATIENCE_MS) {
    if (result !== 'slow') return result;
    await clock.sleep(pause);
    result = await post(frame);
  }
  return result;
}

async function logHead(state: TopicState, topics: Topics): Promise<number> {
  for (let head = state.head; ; ) {
    const { messages } = await readLogAfter({ ...state, head }, head, topics);
    head = messages.at(-1)?.offset ?? head;
    if (messages.length < LOG_PAGE) return head;
  }
}

/** Posts what came since, until near the head or until the peer is throttled: the drain tells the rest. */
async function replay(
  { topic, channel }: Wish,
  state: TopicState,
  start: number,
  post: (frame: string) => Promise<PostResult>,
  { topics, clock }: SubscribePorts,
): Promise<Told> {
  let last = start;
  for (;;) {
    const { messages } = await readLogAfter(state, last, topics);
    for (const { offset, value } of messages) {
      const message = channel.json({ topic, parts: { newest: value }, nowMs: clock.now(), retold: false });
      const result = message ? await post(formatJson(message, { epoch: state.epoch, offset })) : 'sent';
      if (result === 'gone') return 'gone';
      if (result === 'slow') return last;
      last = offset;
    }
    if (messages.length <= NEAR_HEAD) return last;
  }
}

/** Puts the subscription, then looks at the head once more: what came in between is a drain's to tell. */
async function settle(
  subscription: Subscription,
  toldAll: boolean,
  { connection, requestedAtMs }: Subscriber,
  ports: SubscribePorts,
): Promise<void> {
  const { topics, audience, connections, jobs } = ports;
  const { topic, shard } = subscription;
  const expiresAtMs = expiryOf(connection.connectedAtMs);
  const outcome = await audience.put(subscription, requestedAtMs, expiresAtMs);
  if (outcome === 'overtaken') return;
  await connections.addSubscription(connection.connectionId, subscription, requestedAtMs, expiresAtMs);
  // another request of the same client got in between: a drain may have told more than this handler, and earlier
  const unexpected = outcome === 'replaced' && toldAll;
  if (unexpected && ports.channels.of(topic)?.kind === 'state') await audience.markLate(subscription, BEFORE_ALL);
  const seen = (await topics.read([topic])).get(topic);
  const state = seen?.heard ? seen : await listen(topic, ports);
  const nothingCame = toldAll && !unexpected && state.head === subscription.from && !(await logHasMore(state, subscription, ports));
  if (nothingCame) return audience.caughtUp(subscription, subscription.from, state.head);
  await jobs.put({ kind: 'drain', topic, shard });
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
    const outcome = await ports.audience.end(key, requestedAtMs, expiryOf(connection.connectedAtMs));
    if (outcome === 'ended') await ports.connections.removeSubscription(connection.connectionId, key);
  });
}

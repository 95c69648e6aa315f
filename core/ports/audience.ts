/** The audience of a topic: its subscriptions, in one or more shards. */

export type Dialect = 'json' | 'stomp-1.0' | 'stomp-1.1' | 'stomp-1.2';

/** The id of a subscription that its client did not name: one a topic. JSON clients name none, and STOMP 1.0 need not. */
export const UNNAMED = '';

/** The whole audience, until topics have several shards. */
export const ONLY_SHARD = 0;

export interface SubscriptionKey {
  readonly topic: string;
  readonly shard: number;
  readonly connectionId: string;
  readonly subscriptionId: string;
}

export const keyOf = (topic: string, subscriptionId: string, { connectionId }: { readonly connectionId: string }): SubscriptionKey => ({
  topic,
  shard: ONLY_SHARD,
  connectionId,
  subscriptionId,
});

/** It gets everything newer than `from`. */
export interface Subscription extends SubscriptionKey {
  readonly dialect: Dialect;
  readonly from: number;
  /**
   * The mark that made it late: it lacks something before the topic's cursor, and the next drain catches it up. `null` =
   * it lacks nothing. Each mark is a new id, so that a worker clears no mark but the one it has seen.
   */
  readonly late: string | null;
  /** A throttled consumer is passed over until then, in ms; 0 = not throttled. */
  readonly notBeforeMs: number;
  /** How often in a row it was throttled. */
  readonly strikes: number;
  /** It gets only messages that pass this list; `null` = all. */
  readonly filter: readonly string[] | null;
  /** Stamp of the registration it started from, until its first message is delivered: that uses the registration up. */
  readonly registration: string | null;
}

/** A subscription as a worker has seen it: the worker's changes depend on that. */
export type SeenLate = SubscriptionKey & Pick<Subscription, 'late' | 'from'>;

/** A subscription or a tombstone, as it stands in the table. */
export interface KnownSubscription extends Subscription {
  /** It has ended: a tombstone. */
  readonly ended: boolean;
  /** No request asked for it: it came by default. */
  readonly unasked: boolean;
}

export interface Audience {
  /** Strongly consistent, in pages, without tombstones and expired subscriptions. */
  pages(topic: string, shard: number): AsyncIterable<Subscription[]>;
  /**
   * MUST lose against a later request, whether that one subscribed or unsubscribed. Without a request (`null`) it MUST
   * lose against anything that stands there. `replaced`: a subscription or tombstone stood there.
   */
  put(subscription: Subscription, requestedAtMs: number | null, expiresAtMs: number): Promise<'put' | 'replaced' | 'overtaken'>;
  /** Finds tombstones too: a drain may still be delivering to a subscription that has just ended. */
  find(keys: readonly SubscriptionKey[]): Promise<(KnownSubscription | null)[]>;
  /**
   * Leaves a tombstone with the request's time, so that an overtaken subscribe does not come back to life. Without a
   * request (`null`) it MUST end only what was put without one, and the tombstone MUST give way to every request.
   */
  end(key: SubscriptionKey, requestedAtMs: number | null, expiresAtMs: number): Promise<'ended' | 'overtaken'>;
  /** Everything up to `head` was delivered. MUST change nothing unless mark and `from` are those of `seen`, and `from` is at most `head`. */
  caughtUp(seen: SeenLate, head: number): Promise<void>;
  /** It lacks what is after `from`. Does nothing to one that is gone or lacks more already. */
  markLate(key: SubscriptionKey, from: number, mark: string): Promise<void>;
  /**
   * It is throttled, and lacks what is after `from`. MUST apply if mark and `from` are still those of `seen`. Otherwise another
   * worker has changed a late one since, and `from` may only decrease.
   */
  passOver(seen: SeenLate, from: number, throttled: { notBeforeMs: number; strikes: number; mark: string }): Promise<void>;
  /** Requested again, and continues where it stands; an earlier request no longer ends it. False if it is gone or was overtaken. */
  renew(key: SubscriptionKey, filter: readonly string[] | null, requestedAtMs: number): Promise<boolean>;
  /** A late one got everything up to `to`. False if mark or `from` are no longer those of `seen`. */
  advance(seen: SeenLate, to: number): Promise<boolean>;
  /** It no longer depends on its user's registration. */
  forgetRegistration(key: SubscriptionKey): Promise<void>;
  remove(key: SubscriptionKey): Promise<void>;
}

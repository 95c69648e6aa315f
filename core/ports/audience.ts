/** Who is told a topic. */

export type Dialect = 'json' | 'stomp-1.0' | 'stomp-1.1' | 'stomp-1.2';

/** The id of a JSON client's subscriptions: it has one a topic. */
export const JSON_SUBSCRIPTION = 'json';

export interface SubscriptionKey {
  readonly topic: string;
  readonly shard: number;
  readonly connectionId: string;
  readonly subscriptionId: string;
}

/** It gets what is newer than `from`; `late` = it lacks something before the cursor. */
export interface Subscription extends SubscriptionKey {
  readonly dialect: Dialect;
  readonly from: number;
  readonly late: boolean;
  /** A throttled consumer is passed over until then, in ms; 0 = not throttled. */
  readonly notBeforeMs: number;
  /** How often in a row it was throttled. */
  readonly strikes: number;
  /** It is told only what passes this list; `null` = everything. */
  readonly filter: readonly string[] | null;
  /** The stamp of the registration it began at, while it was told nothing since: with the first message that is used up. */
  readonly registration: string | null;
}

export interface Found extends Subscription {
  readonly ended: boolean;
}

export interface Audience {
  /** Strongly consistent, in pages; without tombstones and expired ones. */
  pages(topic: string, shard: number): AsyncIterable<Subscription[]>;
  /**
   * MUST lose against a later request, whether that subscribed or ended. `replaced`: a subscription or tombstone stood
   * there. Without a request (`null`) it MUST lose against whatever stands there.
   */
  put(subscription: Subscription, requestedAtMs: number | null, expiresAtMs: number): Promise<'put' | 'replaced' | 'overtaken'>;
  /** Tombstones are found too: a drain may still be telling who has just left. */
  find(keys: readonly SubscriptionKey[]): Promise<(Found | null)[]>;
  /**
   * Leaves a tombstone with the request's time, so that an overtaken subscribe does not come back to life. Without a
   * request (`null`) it MUST end only what was put without one, and give way to every request.
   */
  end(key: SubscriptionKey, requestedAtMs: number | null, expiresAtMs: number): Promise<'ended' | 'overtaken'>;
  /** It was told all up to `head`. MUST hold only if it is late, still at `seenFrom`, and that is not past `head`. */
  caughtUp(key: SubscriptionKey, seenFrom: number, head: number): Promise<void>;
  /** It lacks what is after `from`. Nothing happens to one that is gone, or lacks more already. */
  markLate(key: SubscriptionKey, from: number): Promise<void>;
  /**
   * It is throttled, and lacks what is after `from`. MUST hold where it is still as `seen`: late there it may have moved on;
   * else it only ever lacks more.
   */
  passOver(seen: Subscription, from: number, throttled: { notBeforeMs: number; strikes: number }): Promise<void>;
  /** Asked for again, from where it stands: a request made earlier no longer ends it. False where it is gone or was overtaken. */
  renew(key: SubscriptionKey, filter: readonly string[] | null, requestedAtMs: number): Promise<boolean>;
  /** A late one was told so far. False where it is no longer late at `seenFrom`. */
  advance(key: SubscriptionKey, seenFrom: number, to: number): Promise<boolean>;
  /** It no longer hangs on its user's registration. */
  forgetRegistration(key: SubscriptionKey): Promise<void>;
  remove(key: SubscriptionKey): Promise<void>;
}

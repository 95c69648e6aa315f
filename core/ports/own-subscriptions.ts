/** A connection's own subscriptions, kept beside its record. */
import type { SubscriptionKey } from './audience.ts';

export interface OwnSubscription extends SubscriptionKey {
  /** It came by default, and ends when the client chooses. */
  readonly unasked: boolean;
}

export interface OwnSubscriptions {
  /** An unasked one MUST NOT replace one that was asked for. */
  add(key: SubscriptionKey, atMs: number, expiresAtMs: number, unasked?: boolean): Promise<void>;
  /** Adds it under an id of the client's own. MUST be false if the connection has that id (without an id: that topic) already. */
  claim(key: SubscriptionKey, atMs: number, expiresAtMs: number): Promise<boolean>;
  /** MUST leave alone what was asked for later than `askedBy`; with `unasked`, all that was asked for. */
  remove(key: SubscriptionKey, only?: { readonly askedBy: number } | 'unasked'): Promise<void>;
  /** All of them, or those with one id. Strongly consistent. */
  list(connectionId: string, subscriptionId?: string): Promise<OwnSubscription[]>;
}

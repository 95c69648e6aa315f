import { bounded } from '../base/concurrency.ts';
import { IN_FLIGHT_MS } from '../base/lifetimes.ts';
import { keyOf } from '../ports/audience.ts';
import type { Connection } from '../ports/connections.ts';
import type { Ports } from '../ports/ports.ts';

const AT_ONCE = 16;

/**
 * Ends subscriptions; without a request (`null`) only those that came by default. A tombstone keeps an overtaken
 * subscribe from coming back to life.
 */
export async function unsubscribe(
  subscriptions: readonly { readonly topic: string; readonly subscriptionId: string }[],
  { connection, requestedAtMs }: { readonly connection: Connection; readonly requestedAtMs: number | null },
  { audience, ownSubscriptions, clock }: Pick<Ports, 'audience' | 'ownSubscriptions' | 'clock'>,
): Promise<void> {
  await bounded(subscriptions, AT_ONCE, async ({ topic, subscriptionId }) => {
    const key = keyOf(topic, subscriptionId, connection);
    const outcome = await audience.end(key, requestedAtMs, clock.now() + IN_FLIGHT_MS);
    // another request of the same client may have subscribed again
    const only = requestedAtMs === null ? 'unasked' : { askedBy: requestedAtMs };
    if (outcome === 'ended') await ownSubscriptions.remove(key, only);
  });
}

import { bounded } from '../base/concurrency.ts';
import { expiryOf } from '../base/lifetimes.ts';
import type { Audience, Connection, Connections } from '../ports.ts';
import { keyOf } from './subscribe.ts';

const AT_ONCE = 16;

/** Ends subscriptions; without a request (`null`) only those that came without one. A tombstone keeps a subscribe that was overtaken from coming back to life. */
export async function unsubscribe(
  subscriptions: readonly { readonly topic: string; readonly subscriptionId: string }[],
  { connection, requestedAtMs }: { readonly connection: Connection; readonly requestedAtMs: number | null },
  ports: { readonly audience: Audience; readonly connections: Connections },
): Promise<void> {
  await bounded(subscriptions, AT_ONCE, async ({ topic, subscriptionId }) => {
    const key = keyOf(topic, subscriptionId, connection);
    const outcome = await ports.audience.end(key, requestedAtMs, expiryOf(connection.connectedAtMs));
    // another request of the same client may have subscribed again
    const only = requestedAtMs === null ? 'unasked' : { askedBy: requestedAtMs };
    if (outcome === 'ended') await ports.connections.removeSubscription(connection.connectionId, key, only);
  });
}

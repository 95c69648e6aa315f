import type { ClientPorts } from '../connections/client-limit.ts';
import type { SubscribePorts, Wish } from '../delivery/subscribe.ts';
import { PushError } from '../errors.ts';
import { ANYBODY, type Identity, type Principal } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Connection, Gateway, Touch } from '../ports.ts';

export interface MessagePorts extends SubscribePorts, ClientPorts {
  readonly gateway: Gateway;
  readonly identity: Identity;
  readonly mode: PushMode;
  readonly maxSubscriptions: number;
  /** How many of the monitor's messages one connection may send in a second. */
  readonly pacePerSecond: number;
  readonly newId: () => string;
  /** How often a STOMP client is asked for a heart-beat. */
  readonly pingIntervalMs: number;
}

export interface ClientMessage {
  readonly connectionId: string;
  readonly text: string;
  /** When the gateway took it: the later of two requests wins, whatever order they are served in. */
  readonly receivedAtMs: number;
  readonly requestId: string;
}

/** Who a connection is, or whom a deployment without identity takes it for; `null` = it has not said. */
export const principalOf = ({ principal }: Connection, { required }: Identity): Principal | null => (required ? principal : ANYBODY);

/** As many of the wishes as the connection may have. The running count is rarely too low, so the exact one is asked for only where it says too many. */
export async function withinCount(
  touch: Touch,
  wishes: readonly Wish[],
  { connections, maxSubscriptions }: MessagePorts,
): Promise<{ wishes: readonly Wish[]; tooMany: PushError | null }> {
  if (touch.subscribes <= maxSubscriptions) return { wishes, tooMany: null };
  const id = touch.connection.connectionId;
  const nameOf = ({ topic, subscriptionId }: { topic: string; subscriptionId: string }): string => `${subscriptionId} ${topic}`;
  const have = new Set((await connections.subscriptions(id)).filter(({ unasked }) => !unasked).map(nameOf));
  const fitting = wishes.filter((wish) => {
    if (!have.has(nameOf(wish)) && have.size >= maxSubscriptions) return false;
    have.add(nameOf(wish));
    return true;
  });
  await connections.resetSubscribes(id, have.size);
  if (fitting.length === wishes.length) return { wishes, tooMany: null };
  const tooMany = new PushError(
    'TOO_MANY_SUBSCRIPTIONS',
    `a connection may have ${maxSubscriptions} subscriptions; unsubscribe from some first`,
    { limit: maxSubscriptions },
  );
  return { wishes: fitting, tooMany };
}

/** Shared by all sessions: the client's message, the ports to serve it, and the limit of subscriptions. */
import type { ClientLimitPorts } from '../connections/client-limit.ts';
import type { SubscribePorts, Wish } from '../delivery/first-delivery.ts';
import { PushError } from '../errors.ts';
import { ANYBODY, type Identity, type Principal } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Connection, Touch } from '../ports/connections.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Ports } from '../ports/ports.ts';
import type { ClientMessages } from '../protocol/json.ts';
import type { Settings } from '../settings.ts';

export interface MessagePorts extends SubscribePorts, ClientLimitPorts, Pick<Ports, 'announcements' | 'newId' | 'work'> {
  readonly gateway: Gateway;
  readonly identity: Identity;
  readonly mode: PushMode;
  /** Messages of the systems' clients, by type. */
  readonly messages: ClientMessages;
  readonly settings: Settings;
  readonly maxSubscriptions: number;
  /** How many of the systems' messages one connection may send in a second. */
  readonly pacePerSecond: number;
  /** How often a STOMP client is asked for a heart-beat. */
  readonly pingIntervalMs: number;
}

/** One message is served no longer than this: others wait for its function. */
const WORK_MS = 4_000;

/** Whether there is time for more of a message that names several things. */
export function deadline({ clock }: Pick<Ports, 'clock'>): () => boolean {
  const untilMs = clock.now() + WORK_MS;
  return () => clock.now() < untilMs;
}

/** The failure of the part of a message for which there was no time. */
export const overdue = (): PushError =>
  new PushError(
    'RATE_LIMIT_EXCEEDED',
    `serving this message took more than ${WORK_MS / 1000} s: the rest of it was not served, ask again for less at once`,
  );

export interface ClientText {
  readonly connectionId: string;
  readonly text: string;
  /** When the gateway took it. Of two requests the later wins, in whatever order they are served. */
  readonly receivedAtMs: number;
  readonly requestId: string;
}

/** The principal of a connection; without identity anybody, unless it proved to be an agent. `null` = not known yet. */
export const principalOf = ({ principal }: Connection, { required }: Identity): Principal | null =>
  principal ?? (required ? null : ANYBODY);

/** As many of the wishes as the connection may have. The running count is rarely too low, so the exact one is read only if it says too many. */
export async function withinLimit(
  touch: Touch,
  wishes: readonly Wish[],
  { connections, ownSubscriptions, maxSubscriptions }: MessagePorts,
): Promise<{ wishes: readonly Wish[]; tooMany: PushError | null }> {
  if (touch.subscribes <= maxSubscriptions) return { wishes, tooMany: null };
  const id = touch.connection.connectionId;
  const nameOf = ({ topic, subscriptionId }: { topic: string; subscriptionId: string }): string => `${subscriptionId} ${topic}`;
  const have = new Set((await ownSubscriptions.list(id)).filter(({ unasked }) => !unasked).map(nameOf));
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

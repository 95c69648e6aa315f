import { bounded } from '../base/concurrency.ts';
import { METRIC } from '../names.ts';
import type { Connection } from '../ports/connections.ts';
import type { Ports } from '../ports/ports.ts';

const AT_ONCE = 16;

export type DisconnectPorts = Pick<Ports, 'connections' | 'ownSubscriptions' | 'clients' | 'audience' | 'clock' | 'report'>;

/**
 * Deletes a connection and its subscriptions. The first to notice calls it: the gateway's `$disconnect` (which may be
 * lost or come twice), a post that finds the connection gone, or the sweep.
 */
export async function disconnect(connectionId: string, ports: DisconnectPorts): Promise<void> {
  const { connections, ownSubscriptions, clients, audience, clock, report } = ports;
  await bounded(await ownSubscriptions.list(connectionId), AT_ONCE, async (key) => {
    await audience.remove(key);
    await ownSubscriptions.remove(key);
  });
  const closed = await connections.close(connectionId);
  if (!closed) return;
  const client = clientOf(closed);
  if (client !== null) await clients.leave(client, closed);
  report.info('disconnected', { connectionId, clientId: closed.clientId });
  report.time(METRIC.connectionDuration, clock.now() - closed.connectedAtMs);
}

export const userClient = (userId: string): string => `user#${userId}`;

/**
 * The client that a connection counts for: its user; without identity the client id it announced together with its
 * address, since many clients announce the same id. `null` = it is not counted.
 */
export function clientOf({ principal, announced, sourceIp }: Pick<Connection, 'principal' | 'announced' | 'sourceIp'>): string | null {
  if (principal) return userClient(principal.userId);
  return announced === null ? null : `address#${sourceIp}#${announced}`;
}

import { bounded } from '../base/concurrency.ts';
import { METRIC } from '../names.ts';
import type { Audience, Clients, Clock, Connections, Report } from '../ports.ts';
import { clientOf } from './client-name.ts';

const AT_ONCE = 16;

export interface DisconnectPorts {
  readonly connections: Connections;
  readonly clients: Clients;
  readonly audience: Audience;
  readonly clock: Clock;
  readonly report: Report;
}

/**
 * Forgets a connection and what it subscribed to. Whoever notices first does it: the gateway's `$disconnect` (which
 * may be lost or come twice), a post that finds it gone, the sweep.
 */
export async function disconnect(connectionId: string, { connections, clients, audience, clock, report }: DisconnectPorts): Promise<void> {
  await bounded(await connections.subscriptions(connectionId), AT_ONCE, async (key) => {
    await audience.remove(key);
    await connections.removeSubscription(connectionId, key);
  });
  const closed = await connections.close(connectionId);
  if (!closed) return;
  const client = clientOf(closed);
  if (client !== null) await clients.leave(client, closed);
  report.info('disconnected', { connectionId, clientId: closed.clientId });
  report.time(METRIC.connectionDuration, clock.now() - closed.connectedAtMs);
}

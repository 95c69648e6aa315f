import type { PushError } from '../errors.ts';
import type { Connection } from '../ports/connections.ts';
import type { Ports } from '../ports/ports.ts';
import { encodeError } from '../protocol/encode.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';
import { reply } from './reply.ts';

/** A connection that was refused stays open this long: a client that connects anew at once would do so every few seconds. */
export const REFUSED_SECONDS = 60;

/** Sends the reason, and serves the connection no longer. It is closed by a job; if that is lost, by the sweep. */
export async function refuse(
  { connectionId, dialect }: Pick<Connection, 'connectionId' | 'dialect'>,
  reason: PushError,
  ports: Pick<Ports, 'connections' | 'gateway' | 'jobs' | 'clock' | 'report'>,
): Promise<void> {
  const { connections, jobs, clock, report } = ports;
  await connections.refuse(connectionId, clock.now());
  await jobs.put({ kind: 'close-refused', connectionId }, REFUSED_SECONDS);
  report.info('refused', { connectionId, reason: reason.code });
  await reply(connectionId, encodeError(reason, dialect, clock.now()), ports);
}

/** Closes a connection that was refused. */
export async function closeRefused(connectionId: string, ports: DisconnectPorts & Pick<Ports, 'gateway'>): Promise<void> {
  const connection = await ports.connections.read(connectionId);
  if (!connection || connection.refusedAtMs === 0) return;
  await ports.gateway.close(connectionId);
  await disconnect(connectionId, ports);
}

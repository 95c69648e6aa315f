/** How many connections one client may have (`docs/protocol.md`, "Errors and limits"). */
import { PushError } from '../errors.ts';
import type { Membership } from '../ports/clients.ts';
import type { Connection } from '../ports/connections.ts';
import type { Gateway } from '../ports/gateway.ts';
import { clientOf, type DisconnectPorts, disconnect } from './disconnect.ts';

/** A handshake may take the platform's 29 s: until then a connection that the gateway does not know may still be opening. */
const OPENING_MS = 30_000;

export interface ClientLimitPorts extends DisconnectPorts {
  readonly gateway: Pick<Gateway, 'stateOf'>;
  readonly maxConnectionsPerClient: number;
}

/** The part of a connection that says whose it is. */
type Owned = Membership & Pick<Connection, 'principal' | 'announced' | 'sourceIp'>;

/**
 * Counts a connection for its client, and no longer for the client it had `before`. Each count is one write, so of
 * several connections at once exactly those past the limit see it. Past the limit the client's vanished connections are
 * deleted first; if there are still too many, it throws. Returns the way to take the count back, in case the connection
 * does not come to be.
 */
export async function countConnection(connection: Owned, before: Owned | null, ports: ClientLimitPorts): Promise<() => Promise<void>> {
  // a user's connections must be found again, limit or not
  const client = ports.maxConnectionsPerClient === 0 && connection.principal === null ? null : clientOf(connection);
  const left = before && clientOf(before);
  if (client === null || client === left) return async () => undefined;
  await enter(client, connection, ports);
  if (left !== null) await ports.clients.leave(left, connection);
  return () => ports.clients.leave(client, connection);
}

async function enter(client: string, me: Owned, ports: ClientLimitPorts): Promise<void> {
  const { clients, clock, maxConnectionsPerClient: limit } = ports;
  const members = await clients.enter(client, me, clock.now());
  if (limit === 0 || members.length <= limit) return;
  const vanished = await Promise.all(members.map((one) => removeVanished(client, one, me, ports)));
  if (members.length - vanished.filter(Boolean).length <= limit) return;
  await clients.leave(client, me);
  throw new PushError('TOO_MANY_CONNECTIONS', `a client may have ${limit} connections; close one of the others first`, { limit });
}

/** True if the connection was gone. */
async function removeVanished(client: string, one: Membership, me: Owned, ports: ClientLimitPorts): Promise<boolean> {
  const { connectionId, connectedAtMs } = one;
  // a user's connections are counted during their handshake, announced ones when they are open
  const mayBeOpening = me.principal !== null && ports.clock.now() - connectedAtMs < OPENING_MS;
  if (connectionId === me.connectionId || mayBeOpening) return false;
  if ((await ports.gateway.stateOf(connectionId)) !== 'gone') return false;
  await disconnect(connectionId, ports);
  await ports.clients.leave(client, one);
  return true;
}

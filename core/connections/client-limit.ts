/** How many connections one client may have (`docs/protocol.md`, "Errors and limits"). */

import { PushError } from '../errors.ts';
import type { Connection, Gateway, Membership } from '../ports.ts';
import { clientOf } from './client-name.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';

/** A handshake may take the platform's 29 s: until then a connection that the gateway does not know may only be coming. */
const COMING_MS = 30_000;

export interface ClientPorts extends DisconnectPorts {
  readonly gateway: Pick<Gateway, 'stateOf'>;
  readonly maxConnectionsPerClient: number;
}

/** What is known of who a connection belongs to. */
type Known = Membership & Pick<Connection, 'principal' | 'announced' | 'sourceIp'>;

/**
 * Counts a connection for its client, and no longer for the one it was of `before`. Past the limit the client's other
 * connections are looked at, and those that have vanished forgotten; if there are still too many, this one is too many,
 * and it throws. Each count is one write, so that of several at once exactly those past the limit see it.
 * Gives the way to take it back, where what it was counted for does not come to be.
 */
export async function countConnection(connection: Known, before: Known | null, ports: ClientPorts): Promise<() => Promise<void>> {
  const client = clientOf(connection);
  const left = before && clientOf(before);
  if (client === null || client === left) return async () => undefined;
  await enter(client, connection, ports);
  if (left !== null) await ports.clients.leave(left, connection);
  return () => ports.clients.leave(client, connection);
}

async function enter(client: string, me: Known, ports: ClientPorts): Promise<void> {
  const { clients, clock, maxConnectionsPerClient: limit } = ports;
  const members = await clients.enter(client, me, clock.now());
  if (members.length <= limit) return;
  const vanished = await Promise.all(members.map((one) => forgetVanished(client, one, me, ports)));
  if (members.length - vanished.filter(Boolean).length <= limit) return;
  await clients.leave(client, me);
  throw new PushError('TOO_MANY_CONNECTIONS', `a client may have ${limit} connections; close one of the others first`, { limit });
}

/** True where the connection was gone. */
async function forgetVanished(client: string, one: Membership, me: Known, ports: ClientPorts): Promise<boolean> {
  const { connectionId, connectedAtMs } = one;
  // a user's connections are counted with their handshake, announced ones when they are there
  const mayBeComing = me.principal !== null && ports.clock.now() - connectedAtMs < COMING_MS;
  if (connectionId === me.connectionId || mayBeComing) return false;
  if ((await ports.gateway.stateOf(connectionId)) !== 'gone') return false;
  await disconnect(connectionId, ports);
  await ports.clients.leave(client, one);
  return true;
}

/** How many connections one client may have (`docs/protocol.md`, "Errors and limits"). */
import { clientOf } from './client-name.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';
import { PushError } from './errors.ts';
import type { Connection, Gateway, Membership } from './ports.ts';

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
 * connections are looked at, and those that have vanished forgotten; if there are still too many, the youngest is too
 * many, and where that is this one it throws.
 */
export async function countConnection(connection: Known, before: Known | null, ports: ClientPorts): Promise<void> {
  const client = clientOf(connection);
  const left = before && clientOf(before);
  if (client === null || client === left) return;
  await enter(client, connection, ports);
  if (left !== null) await ports.clients.leave(left, connection);
}

async function enter(client: string, me: Membership, ports: ClientPorts): Promise<void> {
  const { clients, clock, maxConnectionsPerClient: limit } = ports;
  const members = await clients.enter(client, me, clock.now());
  if (members.length <= limit) return;
  const present = (await Promise.all(members.map((one) => unlessVanished(client, one, me, ports)))).flat().sort(byAge);
  if (present.findIndex(({ connectionId }) => connectionId === me.connectionId) < limit) return;
  await clients.leave(client, me);
  throw new PushError('TOO_MANY_CONNECTIONS', `a client may have ${limit} connections; close one of the others first`, { limit });
}

const byAge = (a: Membership, b: Membership): number => a.connectedAtMs - b.connectedAtMs || (a.connectionId < b.connectionId ? -1 : 1);

async function unlessVanished(client: string, one: Membership, me: Membership, ports: ClientPorts): Promise<Membership[]> {
  const { connectionId, connectedAtMs } = one;
  if (connectionId === me.connectionId || ports.clock.now() - connectedAtMs < COMING_MS) return [one];
  if ((await ports.gateway.stateOf(connectionId)) !== 'gone') return [one];
  await disconnect(connectionId, ports);
  await ports.clients.leave(client, one);
  return [];
}

/** Ends the subscriptions that a connection may no longer have, because its new token does not permit them. */
import { chunksOf } from '../base/concurrency.ts';
import type { Channels } from '../channels/channels.ts';
import { reply } from '../connections/reply.ts';
import type { Principal } from '../identity.ts';
import type { Connection } from '../ports/connections.ts';
import type { Ports } from '../ports/ports.ts';
import { formatUnsubscribed } from '../protocol/json-replies.ts';
import { unsubscribe } from './unsubscribe.ts';

const AT_ONCE = 16;

export interface EndForbiddenPorts extends Pick<Ports, 'audience' | 'ownSubscriptions' | 'connections' | 'gateway' | 'clock' | 'report'> {
  readonly channels: Channels;
}

/** Ends what the caller may not have, and says why. */
export async function endForbidden(principal: Principal, connection: Connection, ports: EndForbiddenPorts): Promise<void> {
  const { connectionId } = connection;
  const own = await ports.ownSubscriptions.list(connectionId);
  const forbidden = own.filter(({ topic }) => {
    const channel = ports.channels.of(topic);
    return !channel?.internal && !channel?.permits(topic, principal);
  });
  for (const some of chunksOf(forbidden, AT_ONCE)) {
    await unsubscribe(some, { connection, requestedAtMs: ports.clock.now() }, ports);
    for (const { topic } of some) {
      const reason = `the new token does not permit it: it ${ports.channels.of(topic)?.permitHint ?? 'is of no channel'}`;
      await reply(connectionId, formatUnsubscribed(topic, ports.clock.now(), reason), ports);
    }
  }
}

/**
 * The same after a subscribe: it was checked by the token that the connection had then, and `refresh` may have renewed it
 * meanwhile. Of both, whoever comes later sees what the other wrote.
 */
export async function endIfForbidden({ connectionId, principal }: Connection, ports: EndForbiddenPorts): Promise<void> {
  const connection = await ports.connections.read(connectionId);
  if (connection?.principal && principal && connection.principal.roles.join() !== principal.roles.join())
    await endForbidden(connection.principal, connection, ports);
}

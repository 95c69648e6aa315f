/** `refresh`: a new token for the open connection. It takes effect at once, also for the subscriptions that are there. */
import { chunksOf } from '../base/concurrency.ts';
import { reply } from '../connections/reply.ts';
import { unsubscribe } from '../delivery/unsubscribe.ts';
import { PushError } from '../errors.ts';
import { expiresInMs, type Principal } from '../identity.ts';
import type { Connection } from '../ports/connections.ts';
import { formatRefreshed, formatUnsubscribed } from '../protocol/json-replies.ts';
import type { MessagePorts } from './session.ts';

const AT_ONCE = 16;

/**
 * Verifies the token and answers `refreshed`. Subscriptions that it permits no longer end with `unsubscribed` and a reason.
 * Throws `AUTHENTICATION_REQUIRED` if the token is not valid, and `PERMISSION_DENIED` if it is another user's: the connection
 * goes on under its old token then.
 */
export async function serveRefresh(token: string, connection: Connection, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const { connections, identity, clock, report } = ports;
  const { connectionId } = connection;
  // without identity there is nothing to renew, and one client works everywhere
  const principal = identity.required ? await identity.verify(token) : null;
  if (principal) {
    if (principal.userId !== connection.principal?.userId)
      throw new PushError('PERMISSION_DENIED', 'the token is of another user: open a new connection for it');
    await connections.renew(connectionId, principal);
    report.info('refreshed', { connectionId });
  }
  const nowMs = clock.now();
  await reply(connectionId, formatRefreshed(expiresInMs(principal, nowMs), nowMs), ports);
  if (principal) await endForbidden(principal, connection, requestedAtMs, ports);
}

/** Ends the subscriptions that the caller may no longer have, and says so. */
async function endForbidden(principal: Principal, connection: Connection, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const { connectionId } = connection;
  const own = await ports.ownSubscriptions.list(connectionId);
  const forbidden = own.filter(({ topic }) => !ports.channels.of(topic)?.permits(topic, principal));
  for (const some of chunksOf(forbidden, AT_ONCE)) {
    await unsubscribe(some, { connection, requestedAtMs }, ports);
    for (const { topic } of some) {
      const reason = `the new token does not permit it: it ${ports.channels.of(topic)?.permitHint ?? 'is of no channel'}`;
      await reply(connectionId, formatUnsubscribed(topic, ports.clock.now(), reason), ports);
    }
  }
}

/** `refresh`: a new token for the open connection. It takes effect at once, also for the subscriptions that are there. */
import { reply } from '../connections/reply.ts';
import { endForbidden } from '../delivery/end-forbidden.ts';
import { PushError } from '../errors.ts';
import { expiresInMs } from '../identity.ts';
import type { Connection } from '../ports/connections.ts';
import { formatRefreshed } from '../protocol/json-replies.ts';
import type { MessagePorts } from './session.ts';

/**
 * Verifies the token and answers `refreshed`. Subscriptions that it permits no longer end with `unsubscribed` and a reason.
 * Throws `AUTHENTICATION_REQUIRED` if the token is not valid, and `PERMISSION_DENIED` if it is another user's: the connection
 * goes on under its old token then.
 */
export async function serveRefresh(token: string, connection: Connection, ports: MessagePorts): Promise<void> {
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
  if (principal) await endForbidden(principal, connection, ports);
}

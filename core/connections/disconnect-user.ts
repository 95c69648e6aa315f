/** Ends everything that a user has open, and lets older tokens back in no more. */
import { bounded } from '../base/concurrency.ts';
import { PushError } from '../errors.ts';
import { isRevoked } from '../identity.ts';
import type { Job } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';
import { closeWithError } from './close-with-error.ts';
import { type DisconnectPorts, userClient } from './disconnect.ts';

/** Longer than a handshake takes: one that was let in just before shows by then. */
const OPENING_SECONDS = 15;
const AT_ONCE = 16;

type EndUser = Extract<Job, { kind: 'end-user' }>;

/** From now on older tokens and tickets count no longer. The connections are closed by jobs. Returns how many there are. */
export async function disconnectUser(
  userId: string,
  reason: string,
  { revocations, clients, jobs, clock }: Pick<Ports, 'revocations' | 'clients' | 'jobs' | 'clock'>,
): Promise<number> {
  const beforeMs = clock.now();
  await revocations.revoke(userId, beforeMs);
  const job: EndUser = { kind: 'end-user', userId, beforeMs, reason };
  await jobs.put(job);
  await jobs.put(job, OPENING_SECONDS);
  return (await clients.members(userClient(userId))).length;
}

/** Closes the user's connections that were opened with an older token. */
export async function endUser({ userId, beforeMs, reason }: EndUser, ports: DisconnectPorts & Pick<Ports, 'gateway'>): Promise<void> {
  const { connections, clients } = ports;
  await bounded(await clients.members(userClient(userId)), AT_ONCE, async ({ connectionId }) => {
    const connection = await connections.read(connectionId);
    if (!connection?.principal || !isRevoked(connection.principal, beforeMs)) return;
    await closeWithError(connection, new PushError('AUTHENTICATION_REQUIRED', reason), ports);
  });
}

/**
 * The greeting, JSON's `connected`. It must be the first frame of a JSON client, and a STOMP client must never see it;
 * only the first frame shows which of both a connection without subprotocol is. So the greeting waits a moment for that
 * frame, and the first reply claims it.
 */

import { expiresInMs } from '../identity.ts';
import type { Connection } from '../ports/connections.ts';
import type { PostResult } from '../ports/gateway.ts';
import type { Job } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';
import { formatConnected } from '../protocol/json-replies.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';

/** An old STOMP client has this long for its first frame; then the connection is taken for JSON and greeted. */
export const GREETING_MS = 250;

/** Delay before the greeting is tried again, while the function that serves the first frame may still be starting. */
const STARTING_SECONDS = 2;

/** A greeting that another message's handler claimed is surely sent within this time. */
const GREETING_GRACE_MS = 250;

/** First pause, and longest, before a greeting is tried again; each is twice the one before. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 800;

export interface GreetPorts extends DisconnectPorts, Pick<Ports, 'gateway'> {}

/**
 * Greets a connection that has sent nothing, at its time. Does nothing if it was greeted meanwhile. A client that has sent
 * something may speak STOMP: the function that serves its frame greets it, or knows better, so this looks again later.
 * That wait is the queue's, since one here would hold up deliveries, and be paid for.
 */
export async function greetLater({ connectionId, atMs, isLast }: GreetJob, ports: GreetPorts & Pick<Ports, 'jobs'>): Promise<void> {
  const waitMs = Math.min(atMs - ports.clock.now(), GREETING_MS);
  if (waitMs > 0) await ports.clock.sleep(waitMs);
  if (!isLast && (await hasSent(connectionId, atMs - GREETING_MS, ports))) {
    const connection = await ports.connections.read(connectionId);
    if (connection?.greetedAtMs === 0) await ports.jobs.put({ kind: 'greet', connectionId, atMs, isLast: true }, STARTING_SECONDS);
    return;
  }
  const connection = await ports.connections.claimGreeting(connectionId, ports.clock.now());
  if (!connection) return;
  // a handshake can fail after `$connect` without any event: a connection that is gone now will not come
  if ((await greet(connection, ports)) === 'gone') await disconnect(connectionId, ports);
}

type GreetJob = Extract<Job, { kind: 'greet' }>;

async function hasSent(connectionId: string, connectedAtMs: number, { gateway }: GreetPorts): Promise<boolean> {
  const state = await gateway.stateOf(connectionId);
  return state !== 'gone' && state !== null && state.lastActiveMs > connectedAtMs;
}

/** Sends `connected`. A handshake that is just ending still answers "gone", and a busy gateway "slow": both get some time. */
export async function greet(connection: Connection, { gateway, clock }: Pick<Ports, 'gateway' | 'clock'>): Promise<PostResult> {
  const frame = formatConnected(connection.clientId, expiresInMs(connection.principal, clock.now()), clock.now());
  let result = await gateway.post(connection.connectionId, frame);
  for (let pause = FIRST_PAUSE_MS; result !== 'sent' && pause <= LAST_PAUSE_MS; pause *= 2) {
    await clock.sleep(pause);
    result = await gateway.post(connection.connectionId, frame);
  }
  return result;
}

/** Waits until a greeting that another message's handler claimed is out, so that it stays the first frame. */
export async function awaitGreeting(connection: Connection, { clock }: Pick<Ports, 'clock'>): Promise<void> {
  const leftMs = connection.greetedAtMs + GREETING_GRACE_MS - clock.now();
  if (leftMs > 0) await clock.sleep(Math.min(leftMs, GREETING_GRACE_MS));
}

import { expiryOf } from '../base/lifetimes.ts';
import type { Channels } from '../channels/channels.ts';
import { checkMode } from '../channels/transports.ts';
import { PushError, UnavailableError } from '../errors.ts';
import { authenticate, type Identity, readBearer } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Clock, Connection, Gateway, Jobs, NewConnection, PostResult } from '../ports.ts';
import { formatConnected } from '../protocol/json.ts';
import { STOMP_VERSIONS, type StompVersion } from '../protocol/stomp-frame.ts';
import { type ClientPorts, countConnection } from './client-limit.ts';
import { dismiss } from './close-with-error.ts';
import { type DisconnectPorts, disconnect } from './disconnect.ts';

/** Time for an old STOMP client's first frame, after which a connection is taken for JSON and greeted. */
export const GREETING_MS = 250;

/** So many times as long a function may take to start. */
const STARTING_WAITS = 6;

/** Whoever answers a message while another message's handler is greeting waits until that is surely out. */
const GREETING_GRACE_MS = 250;

/** A STOMP client that must say who it is has so long to do so. */
const CONNECT_SECONDS = 10;

/** Our own subprotocol. A client offers it beside its token, for a handshake must answer with one that was offered. */
const JSON_PROTOCOL = 'push.json.v1';
const BEARER = 'bearer.';

export interface ConnectPorts extends ClientPorts {
  readonly jobs: Jobs;
  readonly identity: Identity;
  readonly mode: PushMode;
  readonly channels: Channels;
  readonly newClientId: () => string;
  /** `*` or the origins that may connect, comma separated. */
  readonly allowedOrigins: string;
  /** 0 = no limit. */
  readonly maxConnections: number;
}

export interface ConnectRequest {
  readonly connectionId: string;
  readonly connectedAtMs: number;
  readonly origin: string | null;
  readonly sourceIp: string;
  /** The `Sec-WebSocket-Protocol` header. */
  readonly protocols: string | null;
  /** The `Authorization` header. */
  readonly authorization: string | null;
}

/**
 * Takes a connection on, or throws why not; gives the subprotocol to answer with, or `null`. The greeting follows by
 * a job: nothing can be posted before this ends.
 */
export async function connect(request: ConnectRequest, ports: ConnectPorts): Promise<string | null> {
  const { connectionId, connectedAtMs, origin, sourceIp } = request;
  if (!originAllowed(origin, ports.allowedOrigins)) {
    throw new PushError('PERMISSION_DENIED', `connections from ${String(origin).slice(0, 200)} are not allowed here`);
  }
  const offered = (request.protocols ?? '').split(',').map((one) => one.trim());
  const version = STOMP_VERSIONS.find((one) => offered.includes(subprotocolOf(one))) ?? null;
  if (version !== null) checkMode('websocket', ports.mode, ports.channels);
  const bearer = offered.find((one) => one.startsWith(BEARER))?.slice(BEARER.length) ?? null;
  const token = readBearer(request.authorization) ?? bearer;
  // a STOMP client may have its token in its first frame
  const mayWait = version !== null && token === null;
  const principal = ports.identity.required && !mayWait ? await authenticate(token, ports.identity) : null;

  const clientId = ports.newClientId();
  const connection: NewConnection = {
    connectionId,
    clientId,
    dialect: version === null ? 'json' : `stomp-${version}`,
    connectedAtMs,
    expiresAtMs: expiryOf(connectedAtMs),
    sourceIp,
    principal,
    admitted: version === null,
  };
  // refused before it is a connection at all
  const takeBack = await countConnection({ ...connection, announced: null }, null, ports);
  const count = await ports.connections.open(connection).catch(async (error: unknown) => {
    await takeBack();
    throw error;
  });
  if (ports.maxConnections > 0 && count > ports.maxConnections) {
    await disconnect(connectionId, ports);
    throw new UnavailableError('as many connections as allowed are open; try again later', 'TOO_MANY_CONNECTIONS', {
      limit: ports.maxConnections,
    });
  }
  if (version === null) await ports.jobs.put({ kind: 'greet', connectionId, atMs: connectedAtMs + GREETING_MS });
  else if (ports.identity.required && principal === null) await ports.jobs.put({ kind: 'expect-connect', connectionId }, CONNECT_SECONDS);
  ports.report.info('connected', { connectionId, clientId, sourceIp, dialect: version === null ? 'json' : `stomp ${version}` });
  return version !== null ? subprotocolOf(version) : offered.includes(JSON_PROTOCOL) ? JSON_PROTOCOL : null;
}

const subprotocolOf = (version: StompVersion): string => `v${version.replace('.', '')}.stomp`;

/** Ends a STOMP connection that has not said who it is. */
export async function expectConnect(connectionId: string, ports: GreetPorts): Promise<void> {
  const connection = await ports.connections.read(connectionId);
  if (!connection || connection.admitted) return;
  const late = new PushError('AUTHENTICATION_REQUIRED', `no CONNECT with a token came within ${CONNECT_SECONDS} seconds`);
  await dismiss(connection, late, ports);
}

const originAllowed = (origin: string | null, allowed: string): boolean =>
  allowed === '*' || origin === null || allowed.split(',').some((one) => one.trim() === origin);

export interface GreetPorts extends DisconnectPorts {
  readonly gateway: Gateway;
}

/** Greets a connection that has not spoken, at its time; nothing where somebody else has greeted it. */
export async function greetLater(connectionId: string, atMs: number, ports: GreetPorts): Promise<void> {
  const waitMs = Math.min(atMs - ports.clock.now(), GREETING_MS);
  if (waitMs > 0) await ports.clock.sleep(waitMs);
  await waitForWord(connectionId, atMs - GREETING_MS, ports);
  const connection = await ports.connections.claimGreeting(connectionId, ports.clock.now());
  if (!connection) return;
  // a handshake that failed after `$connect` had answered is told to nobody: still gone, it will not come
  if ((await greet(connection, ports)) === 'gone') await disconnect(connectionId, ports);
}

/**
 * A client that has spoken may speak STOMP, and its first frame may still be on its way to a function that is only
 * starting: whoever serves it greets, or knows better. Bounded, for what counts as active is the platform's to say.
 */
async function waitForWord(connectionId: string, connectedAtMs: number, { connections, gateway, clock }: GreetPorts): Promise<void> {
  const state = await gateway.stateOf(connectionId);
  if (state === 'gone' || state === null || state.lastActiveMs <= connectedAtMs) return;
  for (let waits = 0; waits < STARTING_WAITS; waits++) {
    await clock.sleep(GREETING_MS);
    const connection = await connections.read(connectionId);
    if (!connection || connection.greetedAtMs > 0) return;
  }
}

/** Says `connected`. A handshake that is just ending still answers "gone", and a busy gateway "slow": both get some time. */
export async function greet(connection: Connection, { gateway, clock }: Pick<GreetPorts, 'gateway' | 'clock'>): Promise<PostResult> {
  const frame = formatConnected(connection.clientId);
  let result = await gateway.post(connection.connectionId, frame);
  for (let pause = 100; result !== 'sent' && pause <= 800; pause *= 2) {
    await clock.sleep(pause);
    result = await gateway.post(connection.connectionId, frame);
  }
  return result;
}

/** Waits until a greeting that another message's handler claimed is out, so that it stays the first frame. */
export async function awaitGreeting(connection: Connection, clock: Clock): Promise<void> {
  const leftMs = connection.greetedAtMs + GREETING_GRACE_MS - clock.now();
  if (leftMs > 0) await clock.sleep(Math.min(leftMs, GREETING_GRACE_MS));
}

import { expiryOf } from '../base/lifetimes.ts';
import { originAllowed } from '../base/origin.ts';
import { cut } from '../base/text.ts';
import type { Channels } from '../channels/channels.ts';
import { checkMode } from '../channels/transports.ts';
import { PushError, UnavailableError } from '../errors.ts';
import { agentPrincipal, authenticate, type Identity, type Principal, readBearer } from '../identity.ts';
import { METRIC, type PushMode, SOCKET_PATH } from '../names.ts';
import type { NewConnection } from '../ports/connections.ts';
import type { Ports } from '../ports/ports.ts';
import type { StompVersion } from '../protocol/stomp-frame.ts';
import { type ClientLimitPorts, countConnection } from './client-limit.ts';
import { closeWithError } from './close-with-error.ts';
import { disconnect } from './disconnect.ts';
import { GREETING_MS, type GreetPorts } from './greeting.ts';
import { chooseSubprotocol, offeredProtocols } from './subprotocol.ts';

/** A STOMP client that needs a token has this long for its CONNECT. */
const CONNECT_SECONDS = 10;

/** A browser cannot set a header on a handshake: its token comes as one of the subprotocols offered. */
const BEARER = 'bearer.';

export interface ConnectPorts extends ClientLimitPorts, Pick<Ports, 'jobs' | 'newId' | 'keys'> {
  readonly identity: Identity;
  readonly mode: PushMode;
  readonly channels: Channels;
  /** `*` or the origins that may connect, comma separated. */
  readonly allowedOrigins: string;
  /** 0 = no limit. */
  readonly maxConnections: number;
}

export interface ConnectRequest {
  readonly connectionId: string;
  readonly connectedAtMs: number;
  readonly origin: string | null;
  /** The `Host` header. */
  readonly host: string | null;
  readonly sourceIp: string;
  /** The `Sec-WebSocket-Protocol` header. */
  readonly protocols: string | null;
  /** The `Authorization` header. */
  readonly authorization: string | null;
  /** The `x-api-key` header: of an agent. */
  readonly apiKey: string | null;
  /** Of the query. */
  readonly ticket: string | null;
}

/** Accepts a connection as `admit` does, and counts the refused. */
export async function connect(request: ConnectRequest, ports: ConnectPorts): Promise<string | null> {
  try {
    return await admit(request, ports);
  } catch (error) {
    if (error instanceof PushError) ports.report.count(METRIC.refusedConnects);
    throw error;
  }
}

/**
 * Accepts a connection, or throws the reason why not. Returns the subprotocol to echo, or `null`. The greeting follows by
 * a job: nothing can be posted before this ends.
 */
async function admit(request: ConnectRequest, ports: ConnectPorts): Promise<string | null> {
  const { connectionId, connectedAtMs, origin, host, sourceIp } = request;
  if (!originAllowed(origin, ports.allowedOrigins, host)) {
    throw new PushError('PERMISSION_DENIED', `connections from ${cut(String(origin), 200)} are not allowed here`);
  }
  const offered = offeredProtocols(request.protocols);
  const { stomp: version, echo } = chooseSubprotocol(offered);
  if (version !== null) checkMode('websocket', ports.mode, ports.channels);
  const principal = await principalOf(request, offered, version, ports);

  const connection: NewConnection = {
    connectionId,
    clientId: ports.newId(),
    dialect: version === null ? 'json' : `stomp-${version}`,
    connectedAtMs,
    expiresAtMs: expiryOf(connectedAtMs),
    sourceIp,
    principal,
    admitted: version === null,
  };
  await open(connection, ports);
  try {
    if (version === null) await ports.jobs.put({ kind: 'greet', connectionId, atMs: connectedAtMs + GREETING_MS });
    else if (ports.identity.required && principal === null) await ports.jobs.put({ kind: 'expect-connect', connectionId }, CONNECT_SECONDS);
  } catch (error) {
    // the handshake fails: what it took would be missing until the sweep finds the connection silent
    await disconnect(connectionId, ports);
    throw error;
  }
  ports.report.info('connected', {
    connectionId,
    clientId: connection.clientId,
    sourceIp,
    dialect: version === null ? 'json' : `stomp ${version}`,
  });
  return echo;
}

/** The caller; `null` if no token is needed, or a STOMP client may still send one in its first frame. */
async function principalOf(
  { authorization, apiKey, ticket }: ConnectRequest,
  offered: readonly string[],
  version: StompVersion | null,
  { identity, keys }: ConnectPorts,
): Promise<Principal | null> {
  if (apiKey !== null) {
    const agent = (await keys.holderOf(apiKey))?.agent;
    if (agent) return agentPrincipal(agent.id);
    throw new PushError('AUTHENTICATION_REQUIRED', 'the key in x-api-key is no valid key of an agent');
  }
  const bearer = offered.find((one) => one.startsWith(BEARER))?.slice(BEARER.length) ?? null;
  const token = readBearer(authorization) ?? bearer;
  const mayWait = version !== null && token === null && ticket === null;
  const use = ticket === null ? null : { ticket, path: SOCKET_PATH, url: null };
  return identity.required && !mayWait ? authenticate(token, identity, use) : null;
}

/** Stores the connection within the limits. The limit of its client is checked first: past it, there is no connection at all. */
async function open(connection: NewConnection, ports: ConnectPorts): Promise<void> {
  const takeBack = await countConnection({ ...connection, announced: null }, null, ports);
  let opened = false;
  try {
    opened = await ports.connections.open(connection, ports.maxConnections);
  } finally {
    if (!opened) await takeBack();
  }
  if (opened) return;
  throw new UnavailableError('as many connections as allowed are open; try again later', 'TOO_MANY_CONNECTIONS', {
    limit: ports.maxConnections,
  });
}

/** Ends a STOMP connection whose CONNECT with a token has not come. */
export async function expectConnect(connectionId: string, ports: GreetPorts): Promise<void> {
  const connection = await ports.connections.read(connectionId);
  if (!connection || connection.admitted) return;
  const late = new PushError('AUTHENTICATION_REQUIRED', `no CONNECT with a token came within ${CONNECT_SECONDS} seconds`);
  await closeWithError(connection, late, ports);
}

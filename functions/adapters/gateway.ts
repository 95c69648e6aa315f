/**
 * Posts to connections, with a client of our own: posting is most of fan-out's work. The SDK's client costs five to eight
 * times the CPU (`npm run bench`), retries throttled posts for seconds, and waits 300 s for a response. Asking for a connection
 * and closing one are rare, and go through the SDK's.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ApiGatewayManagementApiClient, DeleteConnectionCommand, GetConnectionCommand } from '@aws-sdk/client-apigatewaymanagementapi';
import { ENV, METRIC } from '../../core/names.ts';
import type { Gateway, PostResult } from '../../core/ports/gateway.ts';
import type { Report } from '../../core/ports/report.ts';
import { environmentNow, inEnvironmentTime } from './clock.ts';
import { awsCredentials, requireEnv } from './env.ts';
import { bodyHash, signer } from './sigv4.ts';

/** One try, from its first byte to the last of the response. The drain's margin is longer (`wiring/ports.ts`). */
export const TRY_MS = 1_500;
/** Pauses before a throttled post is tried again, each with up to as much again of jitter. */
const THROTTLED_PAUSES_MS = [40, 160] as const;
/** Requests in flight at once. More wait here and not in the agent, so that `before` runs when a socket is free. */
const MAX_SOCKETS = 128;

export interface GatewayOptions {
  /** `https://{api}.execute-api.{region}.{suffix}/{stage}`. */
  readonly callbackUrl: string;
  readonly credentials: Parameters<typeof signer>[1];
  readonly sleep?: (ms: number) => Promise<void>;
}

export function apiGateway(
  report: Pick<Report, 'count'>,
  options: GatewayOptions = { callbackUrl: requireEnv(ENV.callbackUrl), credentials: awsCredentials() },
): Gateway {
  const base = new URL(options.callbackUrl);
  const secure = base.protocol === 'https:';
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: MAX_SOCKETS, scheduling: 'lifo' });
  const sign = signer('execute-api', options.credentials);
  const sleep = options.sleep ?? ((ms: number) => new Promise<void>((done) => setTimeout(done, ms)));
  const hashes = hashCache();

  /** The status. Rejects if there was no response. */
  const send = (connectionId: string, body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const path = `${base.pathname}/@connections/${encodeURIComponent(connectionId)}`;
      const headers = sign({ method: 'POST', host: base.host, path, bodyHash: hashes(body) }, environmentNow());
      const request = (secure ? httpsRequest : httpRequest)(
        {
          agent,
          method: 'POST',
          host: base.hostname,
          port: base.port,
          path,
          // a flat list is written as it stands, without checks: the names and values are ours
          headers: [...Object.entries(headers).flat(), 'content-length', String(Buffer.byteLength(body))],
        },
        (response: IncomingMessage) => {
          // thousands of posts go out, and their responses are empty
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
          response.on('error', reject);
        },
      );
      const deadline = setTimeout(() => request.destroy(new Error(`no answer from the gateway in ${TRY_MS} ms`)), TRY_MS);
      request.on('error', reject);
      request.on('close', () => clearTimeout(deadline));
      request.end(body);
    });

  const gate = gateOf(MAX_SOCKETS);
  /** The status, or 0 if there was no response. */
  const attempt = async (connectionId: string, body: string, before?: () => Promise<void>): Promise<number> => {
    const leave = await gate();
    try {
      await before?.();
      report.count(METRIC.posts);
      report.count(METRIC.bytesOut, Buffer.byteLength(body));
      return await send(connectionId, body).catch(() => 0);
    } finally {
      leave();
    }
  };
  const management = managementClient(options);

  return {
    async post(connectionId, frame, before): Promise<PostResult> {
      let throttled = 0;
      let refused = false;
      for (let troubles = 0; ; ) {
        const status = await attempt(connectionId, frame, before);
        if (status === 200) return 'sent';
        if (status === 410) return 'gone';
        if (status === 429) {
          const pause = THROTTLED_PAUSES_MS[throttled++];
          if (pause === undefined) return 'slow';
          await sleep(pause * (1 + Math.random()));
        } else if (status === 0 || status >= 500) {
          // it may have been delivered: clients drop a repeat by its position, but cannot make up for a loss
          if (troubles++ === 1) return 'slow';
        } else if (status === 403 && !refused) {
          // the signature may have expired on its way: the next try signs anew
          refused = true;
        } else {
          throw new Error(
            `the gateway refuses posts with ${status}: check the function's grant on @connections and its ${ENV.callbackUrl}`,
          );
        }
      }
    },
    async stateOf(connectionId) {
      try {
        const { LastActiveAt } = await management().send(new GetConnectionCommand({ ConnectionId: connectionId }), inTime());
        // an emulator may not say it
        return LastActiveAt ? { lastActiveMs: LastActiveAt.getTime() } : null;
      } catch (error) {
        const status = statusOf(error);
        if (status === 410) return 'gone';
        if (status === 403)
          throw new Error("the gateway refuses to be asked: check the function's grant on @connections", { cause: error });
        return null;
      }
    },
    async close(connectionId) {
      try {
        await management().send(new DeleteConnectionCommand({ ConnectionId: connectionId }), inTime());
      } catch (error) {
        const status = statusOf(error);
        // gone already; or the sweep closes it a minute later
        if ([410, 429, 0].includes(status) || status >= 500) return;
        throw new Error(`the gateway refuses to close a connection with ${status}`, { cause: error });
      }
    },
  };
}

/** Ends a call of the SDK's in time, from its first byte to the last of the response: its own limits leave out the latter. */
const inTime = () => ({ abortSignal: AbortSignal.timeout(TRY_MS) });

/** The SDK's client, made when it is first needed: most invocations only post. */
function managementClient({
  callbackUrl,
  credentials: { region, sessionToken, ...keys },
}: GatewayOptions): () => ApiGatewayManagementApiClient {
  let made: ApiGatewayManagementApiClient | null = null;
  return () => {
    made ??= inEnvironmentTime(
      new ApiGatewayManagementApiClient({
        endpoint: callbackUrl,
        region,
        credentials: { ...keys, ...(sessionToken === null ? {} : { sessionToken }) },
        maxAttempts: 1,
      }),
    );
    return made;
  };
}

/** The status of a failed call; 0 = no response. Rethrows any other error. */
function statusOf(error: unknown): number {
  const { name, $metadata } = error as { readonly name?: string; readonly $metadata?: { readonly httpStatusCode?: number } };
  if (name === 'AbortError') return 0;
  if (!$metadata) throw error;
  return $metadata.httpStatusCode ?? 0;
}

/** Lets this many callers through at once; each must leave. */
function gateOf(places: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = places;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return leave;
  };
}

/** The same frame goes to thousands of connections: it is hashed once. */
function hashCache(): (body: string) => string {
  const known = new Map<string, string>();
  return (body) => {
    const cached = known.get(body);
    if (cached !== undefined) return cached;
    if (known.size >= 64) known.clear();
    const hash = bodyHash(body);
    known.set(body, hash);
    return hash;
  };
}

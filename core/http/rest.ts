import { channelAt } from '../channels/address.ts';
import type { Channels } from '../channels/channels.ts';
import type { Bodies } from '../delivery/large-messages.ts';
import { PushError } from '../errors.ts';
import { type PublishPorts, publish } from '../events/publish.ts';
import { authenticate, type Principal } from '../identity.ts';
import type { Connections } from '../ports.ts';
import { gaps, history, type PricePorts, parseTickers, quote, quotes } from '../prices.ts';
import { finiteText, openStream, type StreamPorts } from './event-stream.ts';
import { health } from './health.ts';
import { type RegistrationPorts, register, unregister } from './registration.ts';

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly apiKey: string | null;
  /** Of `Authorization: Bearer`. */
  readonly token: string | null;
  readonly lastEventId: string | null;
  readonly body: string;
}

export interface RestReply {
  readonly status: number;
  /** JSON, an event stream's text, or nothing. */
  readonly body: object | string | null;
}

export interface RestPorts extends PricePorts, PublishPorts, RegistrationPorts, StreamPorts {
  readonly connections: Connections;
  readonly bodies: Bodies;
  readonly keys: { isValid(key: string): Promise<boolean> };
  readonly version: string;
}

interface Route {
  readonly method: string;
  /** The parameter in a path that is this route's, empty where it has none; `null` for any other path. */
  readonly at: (path: string, channels: Channels) => string | null;
  /** Served to everybody, or by a key of its own; else a token is needed where the deployment asks for one. */
  readonly open?: true;
  serve(request: RestRequest, ports: RestPorts, parameter: string, principal: Principal | null): Promise<RestReply>;
}

const path =
  (pattern: RegExp): Route['at'] =>
  (asked) => {
    const match = pattern.exec(asked);
    return match ? (match[1] ?? '') : null;
  };

/** Paths that channels name. */
const ofChannel =
  (kind: 'stream' | 'registrations'): Route['at'] =>
  (asked, channels) =>
    channelAt(kind, asked, channels) ? '' : null;

const ok = (body: object | string): RestReply => ({ status: 200, body });

/** `docs/protocol.md`, "REST" and "Publishing". */
const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    at: path(/^\/api\/kr\/realtime-prices$/),
    serve: async ({ query }, ports) => ok({ prices: await quotes(parseTickers(query['tickers']), ports) }),
  },
  {
    method: 'GET',
    at: path(/^\/api\/kr\/stocks\/([^/]+)\/realtime-price$/),
    serve: async (_, ports, ticker) => ok(await quote(ticker, ports)),
  },
  {
    method: 'GET',
    at: path(/^\/api\/kr\/stocks\/([^/]+)\/history$/),
    serve: async ({ query }, ports, ticker) => ok(await history(ticker, query['since'], ports)),
  },
  { method: 'GET', at: path(/^\/api\/kr\/prices\/gaps$/), serve: async (_, ports) => ok({ gaps: await gaps(ports) }) },
  { method: 'GET', at: path(/^\/internal\/price\/([^/]+)$/), serve: async (_, ports, ticker) => ok(await quote(ticker, ports)) },
  {
    method: 'GET',
    at: path(/^\/internal\/prices$/),
    serve: async ({ query }, ports) =>
      ok({ prices: await quotes(query['tickers'] === undefined ? 'all' : parseTickers(query['tickers']), ports) }),
  },
  {
    method: 'GET',
    at: path(/^\/api\/messages\/([^/]+)$/),
    serve: async (_, ports, id, principal) => ok(await readBody(id, principal, ports)),
  },
  { method: 'GET', at: path(/^\/api\/health$/), open: true, serve: async (_, ports) => ok(await health(ports.version, ports)) },
  {
    method: 'POST',
    at: path(/^\/internal\/events$/),
    open: true,
    serve: async (request, ports) => ({ status: 202, body: await publishWithKey(request, ports) }),
  },
  {
    method: 'POST',
    at: ofChannel('registrations'),
    serve: async ({ path, body }, ports, _, principal) => ok(await register(path, body, principal, ports)),
  },
  {
    method: 'DELETE',
    at: ofChannel('registrations'),
    async serve({ path, query }, ports, _, principal) {
      await unregister(path, query, principal, ports);
      return { status: 204, body: null };
    },
  },
  {
    method: 'GET',
    at: ofChannel('stream'),
    // the stream asks for the token itself, after it has said what is turned off
    open: true,
    serve: async (request, ports) => ok(await finiteText(await openStream(request, ports), ports)),
  },
];

/** Serves one REST request; throws a PushError where it cannot. */
export async function routeRequest(request: RestRequest, ports: RestPorts): Promise<RestReply> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const here = ROUTES.flatMap((route) => {
    const parameter = route.at(request.path, ports.channels);
    return parameter === null ? [] : [{ route, parameter }];
  });
  const found = here.find(({ route }) => route.method === method);
  if (found) {
    const principal = found.route.open ? null : await authenticate(request.token, ports.identity);
    return found.route.serve(request, ports, decode(found.parameter), principal);
  }
  if (here.length > 0)
    throw new PushError(
      'METHOD_NOT_ALLOWED',
      `${request.path.slice(0, 200)} takes ${here.map(({ route }) => route.method).join(', ')}, not ${request.method}`,
    );
  throw new PushError('NOT_FOUND', `there is nothing at ${request.path.slice(0, 200)}`);
}

/** A message that was told by reference. */
async function readBody(id: string, principal: Principal | null, { bodies, channels }: RestPorts): Promise<object> {
  const body = await bodies.read(id);
  if (!body) throw new PushError('NOT_FOUND', 'there is no such message, or not any more');
  const channel = channels.of(body.topic);
  if (!principal || !channel?.permits(body.topic, principal))
    throw new PushError('PERMISSION_DENIED', `this message is of a topic that ${channel?.permitHint ?? 'is no more'}`);
  return body.payload;
}

async function publishWithKey({ apiKey, body }: RestRequest, ports: RestPorts) {
  if (apiKey === null || !(await ports.keys.isValid(apiKey))) {
    throw new PushError(
      'AUTHENTICATION_REQUIRED',
      apiKey === null ? 'publishing needs a key in the header x-api-key' : 'the key in x-api-key is not valid',
    );
  }
  return publish(body, ports);
}

function decode(parameter: string): string {
  try {
    return decodeURIComponent(parameter);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    return parameter;
  }
}

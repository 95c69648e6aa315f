import { PushError } from './errors.ts';
import { health } from './health.ts';
import type { Connections } from './ports.ts';
import { gaps, history, type PricePorts, parseTickers, quote, quotes } from './prices.ts';
import { type PublishPorts, publish } from './publish.ts';

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly apiKey: string | null;
  readonly body: string;
}

export interface RestReply {
  readonly status: number;
  readonly body: object;
}

export interface RestPorts extends PricePorts, PublishPorts {
  readonly connections: Connections;
  readonly keys: { isValid(key: string): Promise<boolean> };
  readonly version: string;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  serve(request: RestRequest, ports: RestPorts, parameter: string): Promise<RestReply>;
}

const ok = (body: object): RestReply => ({ status: 200, body });

/** `docs/protocol.md`, "REST" and "Publishing". */
const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: /^\/api\/kr\/realtime-prices$/,
    serve: async ({ query }, ports) => ok({ prices: await quotes(parseTickers(query['tickers']), ports) }),
  },
  {
    method: 'GET',
    path: /^\/api\/kr\/stocks\/([^/]+)\/realtime-price$/,
    serve: async (_, ports, ticker) => ok(await quote(ticker, ports)),
  },
  {
    method: 'GET',
    path: /^\/api\/kr\/stocks\/([^/]+)\/history$/,
    serve: async ({ query }, ports, ticker) => ok(await history(ticker, query['since'], ports)),
  },
  { method: 'GET', path: /^\/api\/kr\/prices\/gaps$/, serve: async (_, ports) => ok({ gaps: await gaps(ports) }) },
  { method: 'GET', path: /^\/internal\/price\/([^/]+)$/, serve: async (_, ports, ticker) => ok(await quote(ticker, ports)) },
  {
    method: 'GET',
    path: /^\/internal\/prices$/,
    serve: async ({ query }, ports) =>
      ok({ prices: await quotes(query['tickers'] === undefined ? 'all' : parseTickers(query['tickers']), ports) }),
  },
  { method: 'GET', path: /^\/api\/health$/, serve: async (_, ports) => ok(await health(ports.version, ports)) },
  {
    method: 'POST',
    path: /^\/internal\/events$/,
    serve: async (request, ports) => ({ status: 202, body: await publishWithKey(request, ports) }),
  },
];

/** Serves one REST request; throws a PushError where it cannot. */
export async function routeRequest(request: RestRequest, ports: RestPorts): Promise<RestReply> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const here = ROUTES.flatMap((route) => {
    const match = route.path.exec(request.path);
    return match ? [{ route, parameter: match[1] ?? '' }] : [];
  });
  const found = here.find(({ route }) => route.method === method);
  if (found) return found.route.serve(request, ports, decode(found.parameter));
  if (here.length > 0)
    throw new PushError(
      'METHOD_NOT_ALLOWED',
      `${request.path.slice(0, 200)} takes ${here.map(({ route }) => route.method).join(', ')}, not ${request.method}`,
    );
  throw new PushError('NOT_FOUND', `there is nothing at ${request.path.slice(0, 200)}`);
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

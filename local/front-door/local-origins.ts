/** The origins of the local deployment, as a distribution names them and as they are reached without it. */
import type { LocalClock } from '../base/clock.ts';
import { endWith } from '../base/listen.ts';
import { urlOf } from '../base/url.ts';
import type { Deployment } from '../deployment.ts';
import { TOKEN_PATH } from '../issuer.ts';
import type { LocalFunctionUrl } from '../resources/function-url.ts';
import type { LocalHttpApi } from '../resources/http-api.ts';
import type { LocalSocketApi } from '../resources/socket-api.ts';
import type { Behavior } from './distribution.ts';
import { distributionRouter, type Origin, type Route, type Router } from './door.ts';

/** What the local run answers itself, at any of its addresses. */
function ownRoute(path: string, { issuer, metrics, alarms, clock }: Deployment): Route | null {
  const route = (serve: Origin['serve']): Route => ({ origin: { serve, upgrade: null }, behavior: null });
  if (path === METRICS_PATH)
    return route((_, response) => respondJson(response, { nowMs: clock.now(), alarms: alarms.all(), metrics: metrics.all() }));
  if (path === TOKEN_PATH && issuer !== null) return route((request, response) => issuer.serve(request, response));
  return null;
}

const METRICS_PATH = '/local/metrics';

const respondJson = (response: Parameters<Origin['serve']>[1], body: object): void =>
  void response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));

/** Leads each path as the distribution does. Throws an error if that names an origin which is not there. */
export function localRouter(behaviors: readonly Behavior[], deployment: Deployment): Router {
  const router = distributionRouter(behaviors, (behavior) => originOf(behavior, deployment));
  return (path) => ownRoute(path, deployment) ?? router(path);
}

/** Leads to the two APIs, as their own addresses do: the WebSocket API has the path of its stage. */
export function directRouter(deployment: Deployment): Router {
  const http = httpOrigin(httpApiOf(deployment));
  return (path) => {
    const socket = deployment.sockets.get(path.slice(1));
    return ownRoute(path, deployment) ?? { origin: socket ? socketOrigin(socket) : http, behavior: null };
  };
}

/** Leads to a function's URL. */
export const functionUrlRouter =
  (url: LocalFunctionUrl): Router =>
  () => ({ origin: functionUrlOrigin(url, false), behavior: null });

function httpApiOf({ httpApis }: Deployment): LocalHttpApi {
  const [http] = httpApis.values();
  if (!http) throw new Error('the template contains no HTTP API');
  return http;
}

function originOf({ origin: { domain, signs }, passesHost }: Behavior, { httpApis, sockets, functionUrls, clock }: Deployment): Origin {
  const id = domain.split('.')[0] ?? '';
  const http = httpApis.get(id);
  const socket = [...sockets.values()].find(({ apiId }) => apiId === id);
  const url = functionUrls.get(id);
  // the platform knows an API by the host that is asked for
  if ((http || socket) && passesHost) return { serve: (_, response) => void forbid(response), upgrade: null };
  if (http) return httpOrigin(http);
  if (socket) return endingTheSilent(socketOrigin(socket), clock);
  if (url) return functionUrlOrigin(url, signs);
  throw new Error(`the distribution's origin ${domain} is none that the local run has`);
}

const forbid = (response: Parameters<Origin['serve']>[1]): void =>
  void response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'Forbidden' }));

const httpOrigin = (http: Pick<LocalHttpApi, 'serve'>): Origin => ({
  serve(request, response) {
    if (!http.serve(request, response))
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'Not Found' }));
  },
  upgrade: null,
});

const socketOrigin = ({ stage, upgrade }: LocalSocketApi): Origin => ({
  serve(_, response) {
    const body = JSON.stringify({
      error_code: 'INVALID_MESSAGE_FORMAT',
      error_message: `/${stage} takes WebSocket handshakes: GET with Upgrade: websocket`,
      details: {},
    });
    response
      .writeHead(426, {
        upgrade: 'websocket',
        connection: 'upgrade',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      .end(body);
  },
  async upgrade(request, socket, head) {
    if (urlOf(request).pathname === `/${stage}`) await upgrade(request, socket, head);
    else endWith(socket, 403, JSON.stringify({ message: 'Forbidden' }));
  },
});

const SILENCE_MS = 10 * 60_000;
const LOOK_MS = 60_000;

/** CloudFront ends a connection after ten minutes in which its origin sent nothing. What the viewer sends does not count. */
const endingTheSilent = (origin: Origin, clock: LocalClock): Origin => ({
  ...origin,
  async upgrade(request, socket, head) {
    const { socket: connection } = request;
    let [bytes, atMs] = [0, clock.now()];
    const look = (): void =>
      void clock.after(LOOK_MS, () => {
        if (connection.destroyed) return;
        if (connection.bytesWritten > bytes) [bytes, atMs] = [connection.bytesWritten, clock.now()];
        if (clock.now() - atMs >= SILENCE_MS) connection.destroy();
        else look();
      });
    look();
    await origin.upgrade?.(request, socket, head);
  },
});

const functionUrlOrigin = (url: LocalFunctionUrl, signed: boolean): Origin => ({
  serve: (request, response) => url.serve(request, response, signed),
  upgrade: null,
});

/** Serves REST requests: the engine's own routes, those of its channels, and those of the systems. */
import { byteLength } from '../base/bytes.ts';
import { cut } from '../base/text.ts';
import type { Channel, HttpForm } from '../channels/channel.ts';
import { ok, type RestReply, type RestRequest, type Route } from '../channels/system.ts';
import { serveComeBack } from '../connections/come-back.ts';
import { MethodError, PushError } from '../errors.ts';
import { EVERY_SOURCE } from '../events/key-ring.ts';
import { MAX_PUBLISH_BYTES, type PublishPorts, publish } from '../events/publish.ts';
import { authenticate, type Principal } from '../identity.ts';
import type { KeyHolder } from '../ports/events.ts';
import type { Ports } from '../ports/ports.ts';
import { finiteAnswer, openStream, type StreamPorts } from './event-stream.ts';
import { type HealthPorts, health } from './health.ts';
import { type RegistrationPorts, register, unregister } from './registration.ts';
import * as docs from './route-docs.ts';
import { routesAt } from './routes.ts';
import { issueTicket, type TicketPorts } from './tickets.ts';
import { serveDisconnect, type UserPorts } from './users.ts';

/** A registration or a reason is short. */
const MAX_BODY_BYTES = 10_000;

export type RestPorts = PublishPorts &
  RegistrationPorts &
  StreamPorts &
  HealthPorts &
  TicketPorts &
  UserPorts &
  Pick<Ports, 'bodies' | 'keys'>;

/** Routes that every deployment has (`docs/protocol.md`, "REST" and "Publishing"). */
export const ENGINE_ROUTES: readonly Route<RestPorts>[] = [
  {
    method: 'GET',
    path: '/api/messages/{id}',
    doc: docs.message,
    serve: async ({ parameters, principal }, ports) => ok(await readBody(parameters['id'] ?? '', principal, ports)),
  },
  {
    method: 'POST',
    path: '/api/push/tickets',
    doc: docs.ticket,
    serve: async ({ body, principal }, ports) => ok(await issueTicket(body, principal, ports)),
  },
  { method: 'GET', path: '/api/health', open: true, doc: docs.health, serve: async (_, ports) => ok(await health(ports)) },
  {
    method: 'POST',
    path: '/internal/events',
    doc: docs.publish,
    open: true,
    maxBodyBytes: MAX_PUBLISH_BYTES,
    async serve({ apiKey, body }, ports) {
      const holder = await requireKey(apiKey, ports);
      return { status: 202, body: await publish(body, holder, ports) };
    },
  },
  {
    method: 'POST',
    path: '/internal/users/{id}/disconnect',
    doc: docs.disconnect,
    open: true,
    async serve({ apiKey, parameters, body }, ports) {
      await requireOwner(apiKey, ports);
      return { status: 202, body: await serveDisconnect(parameters['id'] ?? '', body, ports) };
    },
  },
  {
    method: 'POST',
    path: '/internal/connections/reconnect',
    doc: docs.reconnect,
    open: true,
    async serve({ apiKey, body }, ports) {
      await requireOwner(apiKey, ports);
      return { status: 202, body: await serveComeBack(body, ports) };
    },
  },
];

/** The routes that channels name. */
export const channelRoutes = (channels: readonly Channel[]): Route<RestPorts>[] =>
  channels.flatMap(({ http }) => (http ? [...registrationRoutes(http), streamRoute(http)] : []));

const registrationRoutes = ({ registrations: path, parameters }: HttpForm): Route<RestPorts>[] => [
  {
    method: 'POST',
    path,
    doc: () => docs.register(parameters),
    async serve({ body, principal }, ports) {
      const registered = await register(path, body, principal, ports);
      return ok(registered.body, registered.position);
    },
  },
  {
    method: 'DELETE',
    path,
    doc: () => docs.unregister(parameters),
    async serve({ query, principal }, ports) {
      await unregister(path, query, principal, ports);
      return { status: 204, body: null };
    },
  },
];

const streamRoute = ({ stream: path, parameters }: HttpForm): Route<RestPorts> => ({
  method: 'GET',
  path,
  doc: () => docs.stream(parameters),
  // the stream asks for the token itself, after it has said which transport is off
  open: true,
  serve: async (request, ports) => ok(await finiteAnswer(await openStream(request, ports), ports)),
});

/** Serves one request. Throws a PushError if it cannot. */
export async function routeRequest(request: RestRequest, ports: RestPorts): Promise<RestReply> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const routes = [
    ...ENGINE_ROUTES,
    ...ports.systems.flatMap((system): readonly Route<RestPorts>[] => system.routes),
    ...channelRoutes(ports.channels.all),
  ];
  const here = routesAt(routes, request.path);
  const found = here.find(({ route }) => route.method === method);
  if (found) {
    checkLength(request.body, found.route.maxBodyBytes ?? MAX_BODY_BYTES);
    const principal = found.route.open ? null : await authenticate(request.token, ports.identity);
    return found.route.serve({ ...request, parameters: found.parameters, principal }, ports);
  }
  const path = cut(request.path, 200);
  if (here.length === 0) throw new PushError('NOT_FOUND', `there is nothing at ${path}`);
  throw new MethodError(
    path,
    here.map(({ route }) => route.method),
    request.method,
  );
}

function checkLength(body: string, most: number): void {
  const bytes = byteLength(body);
  if (bytes <= most) return;
  throw new PushError('PAYLOAD_TOO_LARGE', `the body has ${bytes} bytes; a request here may have ${most}`, { limit_bytes: most });
}

/** The body of a message that was delivered by reference. */
async function readBody(id: string, principal: Principal | null, { bodies, channels }: RestPorts): Promise<object> {
  const body = await bodies.read(id);
  if (!body) throw new PushError('NOT_FOUND', 'there is no such message, or it has expired');
  const channel = channels.of(body.topic);
  if (!principal || !channel?.permits(body.topic, principal))
    throw new PushError('PERMISSION_DENIED', `this message is of a topic that ${channel?.permitHint ?? 'no longer exists'}`);
  return body.payload;
}

/** A key that may do more than publish the events of one source. */
async function requireOwner(apiKey: string | null, ports: RestPorts): Promise<void> {
  const { source } = await requireKey(apiKey, ports);
  if (source !== EVERY_SOURCE) throw new PushError('PERMISSION_DENIED', `this key publishes events of ${source}, and nothing else`);
}

/** The holder of the key. */
async function requireKey(apiKey: string | null, { keys }: RestPorts): Promise<KeyHolder> {
  if (apiKey === null) throw new PushError('AUTHENTICATION_REQUIRED', 'this needs a key in the header x-api-key');
  const holder = await keys.holderOf(apiKey);
  if (holder === null) throw new PushError('AUTHENTICATION_REQUIRED', 'the key in x-api-key is not valid');
  return holder;
}

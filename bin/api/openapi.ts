/** The REST API as OpenAPI 3.1, made from the schemas that validate. */
import type { Channel } from '../../core/channels/channel.ts';
import type { ParameterDoc, Route, RouteDoc, System } from '../../core/channels/system.ts';
import { type ErrorCode, HTTP_STATUS } from '../../core/errors.ts';
import { channelRoutes, ENGINE_ROUTES } from '../../core/http/rest.ts';
import { VERSION } from '../../core/version.ts';
import { jsonSchemaOf } from './json-schema.ts';

type Described = Pick<Route<never>, 'method' | 'path' | 'open' | 'doc'>;

const JSON_TYPE = 'application/json';
const ERROR_REF = { $ref: '#/components/schemas/Error' };

export function openApi(systems: readonly System[]): object {
  const channels = systems.flatMap((system) => system.channels.filter(({ internal }) => !internal));
  const tagged: readonly (readonly [tag: string, routes: readonly Described[]])[] = [
    ['engine', ENGINE_ROUTES],
    ...systems.map(({ name, routes, channels: own }) => [name, [...routes, ...channelRoutes(own)]] as const),
  ];
  const paths: Record<string, Record<string, object>> = {};
  for (const [tag, routes] of tagged)
    for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, tag, channels) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'realtime-push',
      version: VERSION,
      description: 'Publishing, registrations, event streams and what the systems add. The WebSocket is described at /api/asyncapi.json.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: tagged.map(([name]) => ({ name, description: name === 'engine' ? 'What every deployment has' : `The system ${name}` })),
    paths,
    components: {
      schemas: { Error: ERROR },
      responses: Object.fromEntries(Object.entries(FAILURES).map(([status, says]) => [`Failed${status}`, failure(Number(status), says)])),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: "A user's token, if the deployment asks for one" },
        key: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'A publish key' },
      },
    },
  };
}

const ERROR = {
  type: 'object',
  required: ['error_code', 'error_message', 'details'],
  properties: {
    error_code: { enum: Object.keys(HTTP_STATUS) },
    error_message: { type: 'string' },
    details: { type: 'object' },
  },
};

function operation({ method, path, open, doc }: Described, tag: string, channels: readonly Channel[]): object {
  const {
    summary,
    parameters = {},
    body,
    bodyIsOptional,
    identity,
    example,
    ...rest
  }: RouteDoc = doc?.(channels) ?? { summary: path, answer: null };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const sample = example === undefined ? {} : { example };
  const proof = identity ?? (open ? null : 'token');
  return {
    operationId: `${method.toLowerCase()}${path.replace(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, '')}`,
    tags: [tag],
    summary,
    security: proof === null ? [] : proof === 'key' ? [{ key: [] }] : [{}, { token: [] }],
    parameters: [
      ...inPath.map((name) => parameter(name, 'path', parameters[name])),
      ...Object.entries(parameters).flatMap(([name, one]) => (inPath.includes(name) ? [] : [parameter(name, 'query', one)])),
    ],
    ...(body ? { requestBody: { required: !bodyIsOptional, content: { [JSON_TYPE]: { schema: jsonSchemaOf(body), ...sample } } } } : {}),
    responses: responses({ summary, ...rest }, { hasBody: body !== undefined, isOpen: proof === null }),
  };
}

const parameter = (name: string, place: 'path' | 'query', doc: ParameterDoc | undefined) => ({
  name,
  in: place,
  required: place === 'path' || doc?.required === true,
  ...(doc ? { description: doc.says, schema: jsonSchemaOf(doc.schema) } : { schema: { type: 'string' } }),
});

const FAILURES: Readonly<Record<number, string>> = {
  400: 'Something in the request is wrong; the error says what',
  401: 'A token or a key is missing, or is not valid',
  403: 'The caller may not do this',
  404: 'There is no such thing',
  409: 'This transport is off',
  413: 'The body is too long',
  429: 'Too many requests: from the function an error, from the platform a message',
  500: 'A fault of the deployment',
  503: 'Not now: the same request may succeed a little later',
};

function responses({ answer, status = 200, errors = [] }: RouteDoc, { hasBody, isOpen }: { hasBody: boolean; isOpen: boolean }): object {
  const codes: ErrorCode[] = [
    'INVALID_MESSAGE_FORMAT',
    ...(isOpen ? [] : (['AUTHENTICATION_REQUIRED'] as const)),
    ...(hasBody ? (['PAYLOAD_TOO_LARGE'] as const) : []),
    ...errors,
  ];
  const failed = [...new Set([...codes.map((code) => HTTP_STATUS[code]), 429, 500, 503])].sort();
  return {
    [status]: succeeded(answer),
    ...Object.fromEntries(failed.map((one) => [one, { $ref: `#/components/responses/Failed${one}` }])),
  };
}

const failure = (status: number, description: string) => ({
  description,
  content: { [JSON_TYPE]: { schema: status >= 429 ? { anyOf: [ERROR_REF, PLATFORM] } : ERROR_REF } },
});

/** The platform's own answers. */
const PLATFORM = { type: 'object', required: ['message'], properties: { message: { type: 'string' } } };

/** A Server-Sent Event. */
const EVENT = {
  type: 'object',
  properties: {
    event: { type: 'string' },
    id: { type: 'string' },
    retry: { type: 'integer' },
    data: { type: 'string', contentMediaType: JSON_TYPE },
  },
};

/** Everything of a topic that its caller lacks. */
const ONE_ANSWER = {
  type: 'object',
  required: ['messages', 'position'],
  properties: {
    messages: { type: 'array', items: { type: 'object' } },
    position: { type: 'string' },
    recovered: { type: 'boolean' },
    more: { type: 'boolean' },
  },
};

function succeeded(answer: RouteDoc['answer']): object {
  if (answer === null) return { description: 'Done' };
  if (answer === 'event stream')
    return {
      description: 'Events, as they come; with once=1 and format=json one answer',
      content: { 'text/event-stream': { schema: EVENT }, [JSON_TYPE]: { schema: ONE_ANSWER } },
    };
  return { description: 'The answer', content: { [JSON_TYPE]: { schema: jsonSchemaOf(answer) } } };
}

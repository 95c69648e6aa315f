/** The AWS APIs that the functions and the operator's programs call, on one loopback port. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AwsError } from './aws-error.ts';
import type { LocalClock } from './base/clock.ts';
import type { Levers } from './base/levers.ts';
import { listen } from './base/listen.ts';
import type { LogStore } from './base/log-store.ts';
import { dateRefusal, type Gate } from './base/policy.mjs';
import { PSEUDO } from './base/template.ts';
import { arnOf } from './deployment.ts';
import type { Described } from './described.ts';
import type { LocalIssuer } from './issuer.ts';
import { listOf, QUEUE_CALLS, queuePermission } from './queue-calls.ts';
import type { LocalBucket } from './resources/bucket.ts';
import type { LocalBus } from './resources/event-bus.ts';
import { readBody } from './resources/http-api.ts';
import type { LocalQueue } from './resources/queue.ts';
import type { LocalSocketApi } from './resources/socket-api.ts';

export interface AwsResources {
  readonly queues: ReadonlyMap<string, LocalQueue>;
  readonly buses: ReadonlyMap<string, LocalBus>;
  readonly secrets: Map<string, string>;
  readonly logs: LogStore;
  readonly described: Described;
  readonly sockets: ReadonlyMap<string, LocalSocketApi>;
  readonly buckets: ReadonlyMap<string, LocalBucket>;
  readonly issuer: LocalIssuer | null;
  readonly levers: Levers;
  readonly gate: Gate;
  readonly clock: LocalClock;
}

/** Path of the local issuer's keys. */
export const JWKS_PATH = '/issuer/jwks.json';

/** `trace`: the caller's trace header. */
type Call = (input: Record<string, unknown>, resources: AwsResources, trace: string) => object;

/** The limits of PutEvents. */
const MAX_ENTRIES = 10;
const MAX_ENTRIES_BYTES = 1_048_576;
/** The times that the platform takes: it writes years with four digits. */
const EARLIEST_SECONDS = Date.parse('0001-01-01') / 1000;
const LATEST_SECONDS = Date.parse('9999-12-31') / 1000;

function busEntriesOf(input: Record<string, unknown>): Record<string, unknown>[] {
  const entries = listOf(input, 'Entries');
  if (entries.length === 0 || entries.length > MAX_ENTRIES)
    throw new AwsError('ValidationException', `Entries: expected 1 to ${MAX_ENTRIES}, got ${entries.length}`);
  const bytes = entries.reduce((sum, { Source, DetailType, Detail }) => sum + Buffer.byteLength(`${Source}${DetailType}${Detail}`), 0);
  if (bytes > MAX_ENTRIES_BYTES) throw new AwsError('ValidationException', `Total size of the entries: ${bytes} bytes, over the limit`);
  for (const { Time } of entries)
    if (Time !== undefined && (typeof Time !== 'number' || !(Time >= EARLIEST_SECONDS && Time <= LATEST_SECONDS)))
      throw new AwsError('SerializationException', `Time: ${JSON.stringify(Time)} is no time`);
  return entries;
}

function parseInput(body: Buffer): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  } catch {
    // the caller is told below
  }
  throw new AwsError('SerializationException', 'the body is no JSON object');
}

/** The permission that a call needs, as action and resources. */
const PERMISSIONS: Readonly<Record<string, (input: Record<string, unknown>) => readonly [string, readonly string[]]>> = {
  'AWSEvents.PutEvents': (input) => ['events:PutEvents', listOf(input, 'Entries').map(({ EventBusName }) => arnOf(String(EventBusName)))],
  'AWSEvents.DescribeRule': (input) => ['events:DescribeRule', [arnOf(String(input['Name']))]],
  'Logs_20140328.FilterLogEvents': (input) => ['logs:FilterLogEvents', [String(input['logGroupName'])]],
  'secretsmanager.GetSecretValue': (input) => ['secretsmanager:GetSecretValue', [String(input['SecretId'])]],
  'secretsmanager.PutSecretValue': (input) => ['secretsmanager:PutSecretValue', [String(input['SecretId'])]],
};

/** Ends the name under which a secret's version before is kept. */
const PREVIOUS = ' before';

/** Calls by the name of their operation in AWS's JSON protocols. */
const CALLS: Readonly<Record<string, Call>> = {
  'AWSEvents.PutEvents': (input, { buses }) => {
    const Entries = busEntriesOf(input).map((entry) => {
      const bus = buses.get(String(entry['EventBusName']));
      return bus
        ? bus.put(entry)
        : { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `there is no bus ${String(entry['EventBusName'])}` };
    });
    return { FailedEntryCount: Entries.filter((entry) => 'ErrorCode' in entry).length, Entries };
  },
  'AWSEvents.DescribeRule': (input, { described }) => described.rule(String(input['Name'])),
  'Logs_20140328.FilterLogEvents': (input, { logs }) => {
    // a pattern in quotes is a text
    const text = JSON.parse(String(input['filterPattern'] ?? '""')) as string;
    return { events: logs.find(String(input['logGroupName']), Number(input['startTime'] ?? 0), [text]) };
  },
  'secretsmanager.GetSecretValue': (input, { secrets }) => {
    const before = input['VersionStage'] === 'AWSPREVIOUS' ? PREVIOUS : '';
    const value = secrets.get(`${String(input['SecretId'])}${before}`);
    if (value === undefined) throw new AwsError('ResourceNotFoundException', 'there is no such secret or version');
    return { ARN: input['SecretId'], SecretString: value, VersionStages: ['AWSCURRENT'] };
  },
  'secretsmanager.PutSecretValue': (input, { secrets }) => {
    const id = String(input['SecretId']);
    const before = secrets.get(id);
    if (before === undefined) throw new AwsError('ResourceNotFoundException', 'there is no such secret');
    secrets.set(`${id}${PREVIOUS}`, before).set(id, String(input['SecretString']));
    return { ARN: id, VersionStages: ['AWSCURRENT'] };
  },
};

const SQS = 'AmazonSQS.';
const DYNAMODB = 'DynamoDB_';
/** Begins the paths of Lambda's API. */
const LAMBDA_VERSION = '2015-03-31';
const onQueues =
  (name: string): Call =>
  (input, { queues }, trace) =>
    QUEUE_CALLS[name]?.(input, queues, trace) ?? {};

export interface AwsEndpoint {
  readonly url: string;
  readonly server: Server;
  /** From now on nobody but the functions can send anything: others get 503, which their SDK tries again. */
  refuse(): void;
}

/** @param atPort 0 = any free port */
export async function awsEndpoint(resources: AwsResources, atPort: number): Promise<AwsEndpoint> {
  let refusing = false;
  const server = createServer((request, response) => {
    serve(request, response, resources, () => refusing).catch((error: unknown) => {
      // the caller is gone if its function was killed during the call
      if (response.headersSent || response.destroyed) response.destroy();
      else reply(response, 400, { message: String(error) }, 'ValidationException');
    });
  });
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, atPort, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    refuse() {
      refusing = true;
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, resources: AwsResources, refusing: () => boolean): Promise<void> {
  const body = (await readBody(request)) ?? Buffer.alloc(0);
  const [, stage = '', connections, id = '', ...rest] = (request.url ?? '').split('/');
  const socket = resources.sockets.get(stage);
  const nowMs = resources.clock.now();
  // the SDK corrects its clock by it
  response.setHeader('date', new Date(nowMs).toUTCString());
  const late = dateRefusal(request.headers, nowMs);
  if (late !== null) return reply(response, 403, { __type: 'InvalidSignatureException', message: late }, 'InvalidSignatureException');
  if (connections === '@connections' && socket) {
    if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))
      return reply(response, 403, { message: 'Missing Authentication Token' }, 'MissingAuthenticationTokenException');
    const resource = `arn:aws:execute-api:${PSEUDO['AWS::Region']}:${PSEUDO['AWS::AccountId']}:${socket.apiId}/${stage}/${request.method}/@connections/${id}`;
    const refusal = resources.gate.refusal(request.headers.authorization, 'execute-api:ManageConnections', resource);
    if (refusal !== null) return reply(response, 403, { message: refusal }, 'AccessDeniedException');
    return socket.connections(request.method ?? '', decodeURIComponent(id), body, response);
  }
  if (resources.levers.failCalls > 0 && resources.levers.random() < resources.levers.failCalls)
    return reply(response, 500, { __type: 'InternalFailure', message: 'InternalFailure' }, 'InternalFailure');
  const bucket = resources.buckets.get(stage);
  if (bucket && request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 '))
    return serveBucket(bucket, request, { id: stage, key: [connections, id, ...rest].join('/'), body, response }, resources.gate);
  if (request.url === JWKS_PATH && resources.issuer) return reply(response, 200, resources.issuer.keys);
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(request.headers.host ?? ''))
    return reply(response, 403, { message: 'ask for this machine by 127.0.0.1 or localhost' }, 'AccessDeniedException');
  const described = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ? body.toString('utf8') : null;
  if (described !== null || stage === LAMBDA_VERSION) {
    const action = described === null ? 'lambda:GetFunction' : 'cloudformation:DescribeStacks';
    const refusal = resources.gate.refusal(request.headers.authorization, action, '*');
    if (refusal !== null) return reply(response, 403, { message: refusal }, 'AccessDeniedException');
    if (described !== null) return replyXml(response, resources.described.stack(described));
    return replyOr404(response, resources.described.lambda(request.url ?? ''));
  }
  const target = String(request.headers['x-amz-target']);
  if (target.startsWith(DYNAMODB)) return passOn(request, body, resources.described.tablesEndpoint(), response);
  const queueCall = target.startsWith(SQS) ? target.slice(SQS.length) : '';
  const call = Object.hasOwn(QUEUE_CALLS, queueCall) ? onQueues(queueCall) : Object.hasOwn(CALLS, target) ? CALLS[target] : undefined;
  if (!call)
    return reply(response, 400, {
      __type: 'UnknownOperationException',
      message: `the local run does not support the call ${target}: add it to local/aws-endpoint.ts`,
    });
  try {
    const trace = String(request.headers['x-amzn-trace-id'] ?? '');
    // a function's calls carry the trace header of its invocation
    if (refusing() && trace === '') return reply(response, 503, { message: 'the local run is stopping' }, 'ServiceUnavailable');
    const input = parseInput(body);
    const [action, wanted] = queueCall === '' ? (PERMISSIONS[target]?.(input) ?? ['', []]) : queuePermission(queueCall, input);
    const refusals = wanted.flatMap((resource) => resources.gate.refusal(request.headers.authorization, action, resource) ?? []);
    if (refusals[0] !== undefined) throw new AwsError('AccessDeniedException', refusals[0]);
    reply(response, 200, call(input, resources, trace));
  } catch (error) {
    const { type, message } = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error));
    reply(response, error instanceof AwsError ? 400 : 500, { __type: type, message }, type);
  }
}

/** Serves an object. A caller that may not list the bucket is refused, and not told that the object is missing. */
function serveBucket(
  bucket: LocalBucket,
  { method = '', headers }: IncomingMessage,
  { id, key, body, response }: { id: string; key: string; body: Buffer; response: ServerResponse },
  gate: Gate,
): void {
  const object = `${arnOf(id)}/${key}`;
  const refusals = [
    gate.refusal(headers.authorization, method === 'PUT' ? 's3:PutObject' : 's3:GetObject', object),
    method === 'GET' && !bucket.has(key) ? gate.refusal(headers.authorization, 's3:ListBucket', arnOf(id)) : null,
  ];
  const refusal = refusals.find((one) => one !== null);
  if (refusal)
    response
      .writeHead(403, { 'content-type': 'application/xml' })
      .end(`<Error><Code>AccessDenied</Code><Message>${refusal}</Message></Error>`);
  else bucket.serve(method, key, body, response);
}

function replyOr404(response: ServerResponse, answer: object | null): void {
  if (answer === null) reply(response, 404, { Message: 'there is no such resource' }, 'ResourceNotFoundException');
  else reply(response, 200, answer);
}

/** The tables have an endpoint of their own, which the functions use. */
async function passOn(request: IncomingMessage, body: Buffer, endpoint: string, response: ServerResponse): Promise<void> {
  const headers = Object.fromEntries(
    ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'].map((name) => [name, String(request.headers[name] ?? '')]),
  );
  const answer = await fetch(endpoint, { method: 'POST', headers, body });
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(await answer.text());
}

function replyXml(response: ServerResponse, answer: string | null): void {
  const error =
    '<ErrorResponse><Error><Code>ValidationError</Code><Message>there is no such stack here, or no such call</Message></Error></ErrorResponse>';
  response.writeHead(answer === null ? 400 : 200, { 'content-type': 'text/xml', 'x-amzn-RequestId': randomUUID() }).end(answer ?? error);
}

function reply(response: ServerResponse, status: number, body: object, errorType?: string): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': Buffer.byteLength(text),
      'x-amzn-RequestId': randomUUID(),
      ...(errorType ? { 'x-amzn-ErrorType': errorType } : {}),
    })
    .end(text);
}

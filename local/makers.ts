/** Makes the local counterpart of each type of resource, in the order of their dependencies. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Resource } from './base/template.ts';
import type { Quota } from './base/token-bucket.ts';
import { arnOf, type Deployment, distributionArn, functionOf, idOfArn, queueOf } from './deployment.ts';
import { awsEnvironment, pointHere } from './environment.ts';
import { nameOf } from './grants.ts';
import { calledBy, maySendTo, missingForUrl, routeArn, type UrlCaller } from './resource-policies.ts';
import { localBucket } from './resources/bucket.ts';
import { localBus } from './resources/event-bus.ts';
import { mapQueue } from './resources/event-source-mapping.ts';
import { type LocalFunction, localFunction } from './resources/function.ts';
import { localFunctionUrl } from './resources/function-url.ts';
import { localHttpApi } from './resources/http-api.ts';
import { deliverAtLeastOnce, localQueue } from './resources/queue.ts';
import { schedule } from './resources/schedule.ts';
import { localSocketApi } from './resources/socket-api.ts';

type Maker = (resource: Resource, deployment: Deployment) => void | Promise<void>;

const MAKERS: Readonly<Record<string, Maker>> = {
  'AWS::DynamoDB::GlobalTable': (resource, { tables }) => tables.create(resource),
  'AWS::SecretsManager::Secret': makeSecret,
  'AWS::S3::Bucket': makeBucket,
  'AWS::SQS::Queue': makeQueue,
  'AWS::Lambda::Function': makeFunction,
  'AWS::Lambda::EventSourceMapping': makeMapping,
  'AWS::Events::EventBus': ({ id }, { buses, clock }) => void buses.set(id, localBus(id, clock)),
  'AWS::Events::Rule': makeRule,
  'AWS::ApiGatewayV2::Api': makeApi,
  'AWS::Lambda::Url': makeFunctionUrl,
};

/** Types that only configure or guard other resources, and need no counterpart. */
const SILENT = new Set([
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CDK::Metadata',
  // the front door reads them
  'AWS::CloudFront::Distribution',
  'AWS::CloudFront::Function',
  'AWS::CloudFront::OriginAccessControl',
  'AWS::CloudFront::ResponseHeadersPolicy',
  // looked at once a minute
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
]);

/** Makes the counterparts of all resources. Warns of a type that the local run does not support, and leaves it out. */
export async function makeAll(deployment: Deployment): Promise<void> {
  const { template, warn } = deployment;
  for (const type of new Set(template.resources.map((resource) => resource.type)))
    if (!Object.hasOwn(MAKERS, type) && !SILENT.has(type))
      warn(`the template contains ${type}, which the local run does not support: it is left out`);
  for (const [type, make] of Object.entries(MAKERS)) for (const resource of template.ofType(type)) await make(resource, deployment);
}

/** The publish key is known; what else the stack generates is random. */
function makeSecret({ id }: Resource, { secrets, template, resolve, secret }: Deployment): void {
  const isPublishKey = resolve(template.output('PublishKeySecret')) === arnOf(id);
  secrets.set(arnOf(id), isPublishKey ? secret : randomBytes(20).toString('hex'));
}

function makeBucket({ id, properties }: Resource, { buckets, dataDir, clock }: Deployment): void {
  const { Rules = [] } = (properties['LifecycleConfiguration'] ?? {}) as { Rules?: { ExpirationInDays?: number }[] };
  const lifeDays = Rules.find(({ ExpirationInDays }) => ExpirationInDays !== undefined)?.ExpirationInDays ?? null;
  buckets.set(id, localBucket({ dataDir, id, lifeDays, clock }));
}

function makeQueue({ id, properties }: Resource, { queues, resolve, dataDir, clock, warn, whenReady }: Deployment): void {
  const redrive = resolve<{ deadLetterTargetArn?: string; maxReceiveCount?: number }>(properties['RedrivePolicy'] ?? {});
  const queue = localQueue({
    name: id,
    file: dataDir === null ? null : join(dataDir, 'queues', `${id}.jsonl`),
    visibilitySeconds: Number(properties['VisibilityTimeout'] ?? 30),
    maxReceives: redrive.maxReceiveCount ?? Number.POSITIVE_INFINITY,
    dead: () => queues.get(idOfArn(redrive.deadLetterTargetArn)) ?? null,
    clock,
    warn,
  });
  queues.set(id, queue);
  whenReady.push(() => queue.restore());
}

/** A function's lines are kept only if its role may write them, as on the platform. */
function logOf(name: string, logGroup: string, { gate, log, logs, warn }: Deployment): Deployment['log'] {
  const refusals = ['logs:CreateLogStream', 'logs:PutLogEvents'].flatMap((action) => gate.refusalOf(name, action, logGroup) ?? []);
  if (refusals[0] === undefined)
    return (_, line) => {
      logs.add(idOfArn(logGroup), line);
      log(name, line);
    };
  warn(`${name} writes no log: ${refusals[0]}`);
  return () => undefined;
}

function makeFunction(resource: Resource, deployment: Deployment): void {
  const { id, properties } = resource;
  const { functions, resolve, template, awsUrl, tables, clock, levers, executions, metrics } = deployment;
  const { Variables = {} } = resolve<{ Variables?: Record<string, string> }>(properties['Environment'] ?? {});
  const name = nameOf(resource);
  const logGroup = resolve<{ LogGroup?: string }>(properties['LoggingConfig'] ?? {}).LogGroup ?? '';
  const log = logOf(name, arnOf(logGroup), deployment);
  const fn = localFunction({
    name,
    folder: template.assetFolder(resolve<{ S3Key: string }>(properties['Code']).S3Key),
    handler: String(properties['Handler']),
    timeoutSeconds: Number(properties['Timeout'] ?? 3),
    mayLoop: properties['RecursiveLoop'] === 'Allow',
    environment: { ...awsEnvironment(name, awsUrl, tables.endpoint), ...pointHere(Variables, awsUrl) },
    clock,
    levers,
    executions,
    log,
    measure(metric, value) {
      metrics.add('AWS/Lambda', metric, { FunctionName: id }, value);
      // the account's
      if (metric === 'Throttles') metrics.add('AWS/Lambda', metric, {}, value);
    },
  });
  functions.set(id, fn);
}

/** Permissions of a function's role that the platform needs to poll a queue for it. */
const POLLING = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

function makeMapping({ id, properties }: Resource, deployment: Deployment): void {
  const { resolve, warn, gate } = deployment;
  if (properties['Enabled'] === false) return;
  const queueArn = resolve<string>(properties['EventSourceArn']);
  const fn = functionOf(deployment, resolve(properties['FunctionName']));
  const refusal = POLLING.map((action) => gate.refusalOf(fn.name, action, queueArn)).find((one) => one !== null);
  if (refusal) throw new Error(`${id} cannot poll its queue: ${refusal}`);
  const { MaximumConcurrency = 1000 } = (properties['ScalingConfig'] ?? {}) as { MaximumConcurrency?: number };
  mapQueue({
    queue: queueOf(deployment, queueArn),
    fn,
    batchSize: Number(properties['BatchSize'] ?? 10),
    maximumConcurrency: MaximumConcurrency,
    reportsItemFailures: ((properties['FunctionResponseTypes'] as string[] | undefined) ?? []).includes('ReportBatchItemFailures'),
    queueArn,
    warn,
  });
}

/** A rule on a schedule calls functions; a rule on a bus sends events to queues. */
function makeRule({ id, properties }: Resource, deployment: Deployment): void {
  const { buses, resolve, levers, clock, warn, whenReady, metrics } = deployment;
  if (properties['State'] === 'DISABLED') return;
  const targets = resolve<{ Arn: string }[]>(properties['Targets']);
  if (properties['ScheduleExpression'] !== undefined) {
    for (const { Arn } of targets) {
      const fn = calledBy('events.amazonaws.com', arnOf(id), idOfArn(Arn), deployment);
      whenReady.push(() => schedule(String(properties['ScheduleExpression']), fn, clock, warn));
    }
    return;
  }
  const bus = buses.get(resolve(properties['EventBusName']));
  if (!bus) throw new Error(`the template refers to a bus ${String(properties['EventBusName'])} that it does not contain`);
  bus.addRule({
    pattern: properties['EventPattern'] as Record<string, unknown>,
    targets: targets.map(({ Arn }) => {
      const queue = queueOf(deployment, Arn);
      if (!maySendTo(idOfArn(Arn), arnOf(id), deployment)) {
        warn(`${id} delivers nothing: the policy of ${idOfArn(Arn)} does not let it put messages there`);
        const dimensions = { EventBusName: String(resolve(properties['EventBusName'])), RuleName: id };
        return () => metrics.add('AWS/Events', 'FailedInvocations', dimensions, 1);
      }
      return (body) => deliverAtLeastOnce(() => queue.send(body), levers, clock);
    }),
  });
}

function makeApi({ id, properties }: Resource, deployment: Deployment): void {
  const { sockets, httpApis, template, resolve, clock, levers, admit, warn, metrics } = deployment;
  const stage = template.ofType('AWS::ApiGatewayV2::Stage').find((one) => resolve(one.properties['ApiId']) === id);
  const name = String(stage?.properties['StageName']);
  const routes = routesOf(id, name, deployment);
  if (properties['ProtocolType'] === 'HTTP') {
    const throttle = quotaOf(stage?.properties['DefaultRouteSettings']);
    const own = Object.entries(stage?.properties['RouteSettings'] ?? {}).map(([key, settings]) => [key, quotaOf(settings)] as const);
    const routeThrottles = new Map(own.flatMap(([key, quota]) => (quota ? [[key, quota] as const] : [])));
    const measure = (metric: string, value: number) => metrics.add('AWS/ApiGateway', metric, { ApiId: id }, value);
    httpApis.set(id, localHttpApi({ apiId: id, routes, throttle, routeThrottles, admit, clock, warn, measure }));
    return;
  }
  const route = (key: string): LocalFunction => {
    const fn = routes.get(key);
    if (!fn) throw new Error(`the WebSocket API has no route ${key}`);
    return fn;
  };
  const functions = { connect: route('$connect'), message: route('$default'), disconnect: route('$disconnect') };
  const measure = (metric: string, value: number) => metrics.add('AWS/ApiGateway', metric, { ApiId: id, Stage: name }, value);
  sockets.set(name, localSocketApi({ apiId: id, stage: name, routes: functions, clock, levers, admit, warn, measure }));
}

function quotaOf(settings: unknown): Quota | null {
  const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = (settings ?? {}) as Readonly<Record<string, number | undefined>>;
  return rate === undefined || burst === undefined ? null : { rate, burst };
}

/** An API's functions, by route key. */
function routesOf(apiId: string, stage: string, deployment: Deployment): Map<string, LocalFunction> {
  const { template, resolve } = deployment;
  const integrations = new Map(template.ofType('AWS::ApiGatewayV2::Integration').map(({ id, properties }) => [id, properties]));
  const routes = template.ofType('AWS::ApiGatewayV2::Route').filter(({ properties }) => resolve(properties['ApiId']) === apiId);
  return new Map(
    routes.map(({ properties }) => {
      const integration = integrations.get(resolve<string>(properties['Target']).replace('integrations/', ''));
      const uri = resolve<string>(integration?.['IntegrationUri']);
      const named = /functions\/arn:local:([^/]+)\/invocations$/.exec(uri)?.[1] ?? idOfArn(uri);
      const key = String(properties['RouteKey']);
      return [key, calledBy('apigateway.amazonaws.com', routeArn(apiId, stage, key), named, deployment)];
    }),
  );
}

function makeFunctionUrl({ id, properties }: Resource, deployment: Deployment): void {
  const { functionUrls, template, resolve, clock, levers, warn } = deployment;
  const functionId = idOfArn(resolve(properties['TargetFunctionArn']));
  const authType = properties['AuthType'] === 'NONE' ? 'NONE' : 'AWS_IAM';
  const [distribution] = template.ofType('AWS::CloudFront::Distribution');
  const caller: UrlCaller =
    authType === 'NONE'
      ? { principal: '*', authType, arn: '' }
      : { principal: 'cloudfront.amazonaws.com', authType, arn: distributionArn(distribution?.id ?? '') };
  const missing = missingForUrl(functionId, caller, deployment);
  if (missing.length > 0)
    warn(`${functionId} answers its URL with 403: its policy does not allow ${caller.principal} ${missing.join(' and ')}`);
  const answers = missing.length === 0;
  const open = { everybody: answers && authType === 'NONE', frontDoor: answers };
  functionUrls.set(id, localFunctionUrl({ id, fn: functionOf(deployment, functionId), open, clock, levers }));
}

/** Runs a synthesised deployment on this machine: each resource of the template gets its counterpart here. */
import { createServer } from 'node:http';
import type { AwsResources } from './aws-endpoint.ts';
import { awsEndpoint } from './aws-endpoint.ts';
import { type LocalClock, localClock } from './clock.ts';
import { awsEnvironment, pointHere } from './environment.ts';
import { type FrontDoor, frontDoor } from './front-door.ts';
import { issuerFor, type TokenRequest } from './issuer.ts';
import { type Levers, makeLevers } from './levers.ts';
import { close, listen } from './listen.ts';
import { type LocalBucket, localBucket } from './resources/bucket.ts';
import { type BusRule, type LocalBus, localBus } from './resources/event-bus.ts';
import { mapQueue } from './resources/event-source-mapping.ts';
import { type LocalFunction, localFunction } from './resources/function.ts';
import { localFunctionUrl } from './resources/function-url.ts';
import { type Cors, localHttpApi } from './resources/http-api.ts';
import { deliverAtLeastOnce, type LocalQueue, localQueue } from './resources/queue.ts';
import { schedule } from './resources/schedule.ts';
import { type LocalSocketApi, localSocketApi } from './resources/socket-api.ts';
import { localTables } from './resources/tables.ts';
import { type Resource, readTemplate, resolveValue } from './template.ts';

export interface LocalOptions {
  /** The stack's template in a cloud assembly. */
  readonly templateFile: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Keeps the tables on disk; `null` = in memory. */
  readonly dataDir: string | null;
  /** What a secret that the stack generates is here. */
  readonly secret: string;
  readonly seed?: number;
  readonly log: (name: string, line: string) => void;
}

export interface LocalRun {
  readonly url: string;
  /** The HTTP API's own address, past the front door. */
  readonly apiUrl: string;
  /** A token of the local run's issuer; throws where the deployment takes tokens from elsewhere, or none. */
  mint(request: TokenRequest): Promise<string>;
  readonly clock: LocalClock;
  readonly levers: Levers;
  /** Calls a function as its schedule would. */
  invoke(name: string): Promise<unknown>;
  /** Queues by the id they have in the template. */
  readonly queues: ReadonlyMap<string, LocalQueue>;
  readonly tablesEndpoint: string;
  /** Open sockets. */
  connections(): number;
  /** Resolves when nothing is under way; what failed may still wait, invisible, to come back. */
  settled(): Promise<void>;
  /** Events and jobs that are not done, invisible ones included. */
  pending(): number;
  stop(): Promise<void>;
}

/** What says how others run, or guards them, and needs no counterpart. */
const SILENT = new Set([
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CDK::Metadata',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
]);
const KNOWN = new Set([
  'AWS::ApiGatewayV2::Api',
  'AWS::DynamoDB::GlobalTable',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Lambda::Url',
  'AWS::S3::Bucket',
  'AWS::SQS::Queue',
  'AWS::SecretsManager::Secret',
]);

export async function startLocal(options: LocalOptions): Promise<LocalRun> {
  const template = readTemplate(options.templateFile);
  let stopping = false;
  const warn = (message: string): void => {
    if (!stopping) options.log('local', message);
  };
  for (const type of new Set(template.resources.map((resource) => resource.type))) {
    if (!KNOWN.has(type) && !SILENT.has(type)) warn(`the template holds ${type}, which the local run does not know: it is left out`);
  }
  const clock = localClock();
  const levers = makeLevers(options.seed ?? 1);

  const queues = new Map<string, LocalQueue>();
  const buses = new Map<string, LocalBus>();
  const sockets = new Map<string, LocalSocketApi>();
  const secrets = new Map<string, string>();
  const issuer = await issuerFor(template.ofType('AWS::Lambda::Function'));
  const buckets = new Map<string, LocalBucket>();
  const resources: AwsResources = { queues, buses, secrets, sockets, buckets, issuer, levers };
  const aws = await awsEndpoint(resources);
  const tables = await localTables(template.ofType('AWS::DynamoDB::GlobalTable'), options.dataDir);

  const byId = new Map(template.resources.map((resource) => [resource.id, resource]));
  const arn = (id: string): string => `arn:local:${id}`;
  const idOfArn = (text: unknown): string => String(text).replace(/^arn:local:/, '');
  const refer = (id: string, attribute: string | null): string => {
    const resource = byId.get(id);
    if (!resource) throw new Error(`the template refers to ${id}, which it does not hold`);
    if (attribute === 'Arn' || (attribute === null && resource.type === 'AWS::SecretsManager::Secret')) return arn(id);
    if (attribute === null) return resource.type === 'AWS::SQS::Queue' ? `${aws.url}/000000000000/${id}` : id;
    if (attribute === 'QueueName') return id;
    throw new Error(`the local run does not know the attribute ${attribute} of ${resource.type}: add it to local/run.ts`);
  };
  const resolve = <Value>(value: unknown): Value => resolveValue(value, refer) as Value;

  for (const { id } of template.ofType('AWS::SecretsManager::Secret')) secrets.set(arn(id), options.secret);
  for (const { id, properties } of template.ofType('AWS::S3::Bucket')) {
    const { Rules = [] } = (properties['LifecycleConfiguration'] ?? {}) as { Rules?: { ExpirationInDays?: number }[] };
    const lifeDays = Rules.find(({ ExpirationInDays }) => ExpirationInDays !== undefined)?.ExpirationInDays ?? null;
    buckets.set(id, localBucket({ dataDir: options.dataDir, id, lifeDays, clock }));
  }
  for (const { id, properties } of template.ofType('AWS::SQS::Queue')) {
    const redrive = resolve<{ deadLetterTargetArn?: string; maxReceiveCount?: number }>(properties['RedrivePolicy'] ?? {});
    queues.set(
      id,
      localQueue({
        name: id,
        visibilitySeconds: Number(properties['VisibilityTimeout'] ?? 30),
        maxReceives: redrive.maxReceiveCount ?? Number.POSITIVE_INFINITY,
        dead: () => queues.get(idOfArn(redrive.deadLetterTargetArn)) ?? null,
        clock,
      }),
    );
  }

  const functions = new Map<string, LocalFunction>();
  for (const { id, properties } of template.ofType('AWS::Lambda::Function')) {
    const { Variables = {} } = resolve<{ Variables?: Record<string, string> }>(properties['Environment'] ?? {});
    functions.set(
      id,
      localFunction({
        name: Variables['POWERTOOLS_SERVICE_NAME'] ?? id,
        folder: template.assetFolder(resolve<{ S3Key: string }>(properties['Code']).S3Key),
        handler: String(properties['Handler']),
        timeoutSeconds: Number(properties['Timeout'] ?? 3),
        environment: { ...awsEnvironment(aws.url, tables.endpoint), ...pointHere(Variables, aws.url) },
        clock,
        levers,
        log: options.log,
      }),
    );
  }
  const functionOf = (reference: unknown): LocalFunction => {
    const fn = functions.get(idOfArn(reference));
    if (!fn) throw new Error(`the template refers to a function ${String(reference)} that it does not hold`);
    return fn;
  };

  for (const { properties } of template.ofType('AWS::Lambda::EventSourceMapping')) {
    const queueArn = resolve<string>(properties['EventSourceArn']);
    mapQueue({
      queue: queues.get(idOfArn(queueArn)) as LocalQueue,
      fn: functionOf(resolve(properties['FunctionName'])),
      batchSize: Number(properties['BatchSize'] ?? 10),
      maximumConcurrency: Number((properties['ScalingConfig'] as { MaximumConcurrency?: number } | undefined)?.MaximumConcurrency ?? 1000),
      reportsItemFailures: ((properties['FunctionResponseTypes'] as string[] | undefined) ?? []).includes('ReportBatchItemFailures'),
      queueArn,
      warn,
    });
  }

  const rules = template.ofType('AWS::Events::Rule').map(({ properties }) => properties);
  for (const { id } of template.ofType('AWS::Events::EventBus')) {
    const own = rules.filter((rule) => rule['EventBusName'] !== undefined && resolve(rule['EventBusName']) === id);
    const busRules = own.map(
      (rule): BusRule => ({
        pattern: rule['EventPattern'] as Record<string, unknown>,
        targets: resolve<{ Arn: string }[]>(rule['Targets']).map(({ Arn }) => {
          const queue = queues.get(idOfArn(Arn));
          if (!queue) throw new Error(`the local run knows queues as targets of a bus, not ${Arn}`);
          return (body) => deliverAtLeastOnce(() => queue.send(body), levers, clock);
        }),
      }),
    );
    buses.set(id, localBus(id, busRules, clock));
  }

  const routesOf = (apiId: string): Map<string, LocalFunction> => {
    const integrations = new Map(template.ofType('AWS::ApiGatewayV2::Integration').map(({ id, properties }) => [id, properties]));
    const routes = template.ofType('AWS::ApiGatewayV2::Route').filter(({ properties }) => resolve(properties['ApiId']) === apiId);
    return new Map(
      routes.map(({ properties }) => {
        const integration = integrations.get(resolve<string>(properties['Target']).replace('integrations/', ''));
        const uri = resolve<string>(integration?.['IntegrationUri']);
        const named = /functions\/arn:local:([^/]+)\/invocations$/.exec(uri)?.[1] ?? idOfArn(uri);
        return [String(properties['RouteKey']), functionOf(named)];
      }),
    );
  };
  const apis = (protocol: string): Resource[] =>
    template.ofType('AWS::ApiGatewayV2::Api').filter(({ properties }) => properties['ProtocolType'] === protocol);
  for (const { id } of apis('WEBSOCKET')) {
    const routes = routesOf(id);
    const stage = template.ofType('AWS::ApiGatewayV2::Stage').find(({ properties }) => resolve(properties['ApiId']) === id);
    const name = String(stage?.properties['StageName']);
    const route = (key: string): LocalFunction => functionOf([...functions].find(([, fn]) => fn === routes.get(key))?.[0]);
    sockets.set(
      name,
      localSocketApi({
        apiId: id,
        stage: name,
        routes: { connect: route('$connect'), message: route('$default'), disconnect: route('$disconnect') },
        clock,
        levers,
        warn,
      }),
    );
  }
  const [httpApi] = apis('HTTP');
  if (!httpApi) throw new Error('the template holds no HTTP API');
  const http = localHttpApi({
    apiId: httpApi.id,
    routes: routesOf(httpApi.id),
    cors: (httpApi.properties['CorsConfiguration'] as Cors | undefined) ?? null,
    clock,
    warn,
  });

  const [url] = template.ofType('AWS::Lambda::Url').map(({ id, properties }) =>
    localFunctionUrl({
      id,
      fn: functionOf(resolve(properties['TargetFunctionArn'])),
      cors: (properties['Cors'] as Cors | undefined) ?? null,
      clock,
    }),
  );

  const api = createServer((request, response) => {
    if (!http.serve(request, response)) response.writeHead(404).end(JSON.stringify({ message: 'Not Found' }));
  });
  let door: FrontDoor;
  try {
    door = await frontDoor(options.port, { http, sockets, streams: url ?? null, issuer });
  } catch (error) {
    await Promise.all([tables.stop(), close(aws.server)]);
    throw error;
  }
  const apiPort = await listen(api, 0, '127.0.0.1');
  for (const rule of rules) {
    if (rule['ScheduleExpression'] === undefined) continue;
    for (const { Arn } of resolve<{ Arn: string }[]>(rule['Targets']))
      schedule(String(rule['ScheduleExpression']), functionOf(Arn), clock, warn);
  }

  const work = [...queues].filter(([, queue]) => queue.onVisible !== null).map(([, queue]) => queue);
  return {
    url: `http://localhost:${door.port}`,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    async mint(request) {
      if (!issuer) throw new Error('this deployment does not take tokens of the local run');
      return issuer.mint(request);
    },
    clock,
    levers,
    queues,
    tablesEndpoint: tables.endpoint,
    connections: () => [...sockets.values()].reduce((sum, socket) => sum + socket.count(), 0),
    invoke: (name) => functionNamed(functions, name).invoke({}),
    async settled() {
      const busy = (): boolean => work.some((queue) => queue.visible() > 0) || [...functions.values()].some((fn) => fn.running() > 0);
      // twice in a row: what ends may begin something
      for (let quiet = 0; quiet < 2; quiet = busy() ? 0 : quiet + 1) await new Promise((done) => setTimeout(done, 5));
    },
    pending: () => work.reduce((sum, queue) => sum + queue.size(), 0),
    async stop() {
      stopping = true;
      clock.stop();
      for (const socket of sockets.values()) socket.stop();
      await door.stop();
      await Promise.all([...functions.values()].map((fn) => fn.stop()));
      await Promise.all([tables.stop(), close(aws.server), close(api)]);
    },
  };
}

function functionNamed(functions: ReadonlyMap<string, LocalFunction>, name: string): LocalFunction {
  const fn = [...functions.values()].find((one) => one.name === name);
  if (!fn) throw new Error(`there is no function ${name}`);
  return fn;
}

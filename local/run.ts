/** Runs a synthesised deployment on this machine: each resource of the template gets a local counterpart (`makers.ts`). */
import { awsEndpoint } from './aws-endpoint.ts';
import { type LocalClock, localClock } from './base/clock.ts';
import { heapBytes } from './base/heap.mjs';
import { type Levers, makeLevers } from './base/levers.ts';
import { close } from './base/listen.ts';
import { logStore } from './base/log-store.ts';
import { makeGate } from './base/policy.mjs';
import { readTemplate } from './base/template.ts';
import { tokenBucket } from './base/token-bucket.ts';
import { type Counterparts, type Deployment, noCounterparts, resolver } from './deployment.ts';
import { describedBy } from './described.ts';
import { readDistribution } from './front-door/distribution.ts';
import { type FrontDoor, frontDoor } from './front-door/door.ts';
import { directRouter, functionUrlRouter, localRouter } from './front-door/local-origins.ts';
import { grantsOf, named as namesOf } from './grants.ts';
import { issuerFor, type TokenRequest } from './issuer.ts';
import { makeAll } from './makers.ts';
import { type LocalAlarm, localAlarms } from './metrics/alarms.ts';
import { addEmbedded } from './metrics/embedded.ts';
import { type MetricStore, metricStore } from './metrics/store.ts';
import { watchMetrics } from './metrics/watch.ts';
import { executions } from './resources/executions.ts';
import type { LocalQueue } from './resources/queue.ts';
import { localTables } from './resources/tables.ts';

export interface LocalOptions {
  /** The stack's template in a cloud assembly. */
  readonly templateFile: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Address of the front door; `null` = this machine only. @default null */
  readonly host?: string | null;
  /** Of the local AWS APIs. 0 = any free port. */
  readonly awsPort: number;
  /** Folder for tables, queues and buckets; `null` = in memory. */
  readonly dataDir: string | null;
  /** The publish key. */
  readonly secret: string;
  /** Seed of the levers. */
  readonly seed?: number;
  readonly log: (name: string, line: string) => void;
}

export interface Heaps {
  readonly own: number;
  /** By name; the largest of its environments. */
  readonly functions: Readonly<Record<string, number>>;
  readonly tables: number;
}

export interface LocalRun {
  readonly url: string;
  readonly hasFrontDoor: boolean;
  /** The APIs' own address, past the front door. */
  readonly apiUrl: string;
  /** The event streams' own address; `null` = there is none. */
  readonly streamUrl: string | null;
  /** Mints a token. Throws if the deployment does not accept tokens of the local issuer. */
  mint(request: TokenRequest): Promise<string>;
  readonly clock: LocalClock;
  readonly levers: Levers;
  /** The grants of the functions' roles, as `function action resource`: all of them, and those that allowed something. */
  grants(): Promise<{ all: string[]; used: string[] }>;
  /** Deletes the tables' expired items, as time to live does by itself every now and then. Returns their number. */
  expire(): Promise<number>;
  /** Bytes of live objects after a collection: of this thread, of an idle environment of each function, and of the tables. */
  heaps(): Promise<Heaps>;
  /** Invokes a function as its schedule does. */
  invoke(name: string): Promise<unknown>;
  readonly metrics: MetricStore;
  alarms(): readonly LocalAlarm[];
  /** Queues by their id in the template. */
  readonly queues: ReadonlyMap<string, LocalQueue>;
  readonly tablesEndpoint: string;
  /** URL of the local AWS APIs: queues, bus, secrets, bucket. */
  readonly awsUrl: string;
  /** For events of upstreams. */
  readonly busName: string;
  /** Number of the deployment's functions. */
  readonly functions: number;
  /** Number of open WebSocket connections. */
  connections(): number;
  /** Resolves when nothing is in flight. A failed message may still be waiting for its visibility timeout. */
  settled(): Promise<void>;
  /** Number of unfinished events and jobs, invisible ones included. */
  pending(): number;
  /**
   * Refuses new requests, and events put onto the bus, and waits until what was accepted is done, at most this long. Returns the number of
   * unfinished events and jobs.
   */
  finish(limitMs: number): Promise<number>;
  stop(): Promise<void>;
}

/** How often expired items are deleted. */
const EXPIRE_MS = 10 * 60_000;

/** Interval at which `settled` and `finish` look. */
const POLL_MS = 5;

export async function startLocal(options: LocalOptions): Promise<LocalRun> {
  const template = readTemplate(options.templateFile);
  let stopping = false;
  const warn = (message: string): void => {
    if (!stopping) options.log('local', message);
  };
  const clock = localClock();
  const levers = makeLevers(options.seed ?? 1);
  const counterparts = noCounterparts();
  const issuer = await issuerFor(template.ofType('AWS::Lambda::Function'), clock.now);
  const named = resolver(template, '', counterparts.secrets);
  const grants = grantsOf(template, named);
  const gate = makeGate(grants, warn);
  const metrics = metricStore(clock);
  const logs = logStore(clock);
  const described = describedBy(template, named, () => tables.endpoint);
  const aws = await awsEndpoint({ ...counterparts, logs, described, issuer, levers, gate, clock }, options.awsPort);
  const { dataDir, secret, seed = 1 } = options;
  const log = (name: string, line: string): void => {
    addEmbedded(line, metrics);
    options.log(name, line);
  };
  const tables = await localTables({ dataDir, grants, levers: levers.tables, shift: clock.shift, seed, warn }).catch(
    async (error: unknown) => {
      await close(aws.server);
      throw error;
    },
  );
  const resolve = resolver(template, aws.url, counterparts.secrets);
  const alarms = localAlarms(template, resolve, metrics);
  const deployment: Deployment = {
    ...counterparts,
    metrics,
    logs,
    alarms,
    template,
    tables,
    issuer,
    gate,
    awsUrl: aws.url,
    dataDir,
    secret,
    clock,
    levers,
    executions: executions(levers),
    admit: tokenBucket(levers.requests, clock.now),
    log,
    warn,
    resolve,
    whenReady: [],
  };
  const { functions, queues, sockets, httpApis } = counterparts;
  let door: FrontDoor;
  try {
    await makeAll(deployment);
    door = await openDoor(options, deployment);
  } catch (error) {
    await Promise.all([tables.stop(), close(aws.server)]);
    throw error;
  }
  // the origins' own addresses
  const apis = await frontDoor(0, null, directRouter(deployment));
  const [functionUrl] = counterparts.functionUrls.values();
  const streams = functionUrl ? await frontDoor(0, null, functionUrlRouter(functionUrl)) : null;
  for (const start of deployment.whenReady) start();
  const expire = (): void =>
    void clock.after(EXPIRE_MS, () => {
      tables.deleteExpired(clock.now()).catch((error: unknown) => warn(`time to live: ${String(error)}`));
      expire();
    });
  expire();
  const changed = ({ name, state, description }: LocalAlarm): void => {
    if (state === 'ALARM') warn(`alarm ${name}: ${description}`);
  };
  watchMetrics({ clock, queues, throttledWrites: tables.throttledWrites, store: metrics, alarms, changed });

  const busy = (): boolean => [...functions.values()].some((fn) => fn.running() > 0);
  const pending = (): number => work.reduce((sum, queue) => sum + queue.size(), 0);
  const serving = (): number => [...httpApis.values()].reduce((sum, http) => sum + http.serving(), 0);
  const work = [...queues.values()].filter((queue) => queue.onVisible !== null);
  return {
    url: urlAt(options.host ?? null, door.port),
    hasFrontDoor: template.ofType('AWS::CloudFront::Distribution').length > 0,
    apiUrl: `http://127.0.0.1:${apis.port}`,
    streamUrl: streams === null ? null : `http://127.0.0.1:${streams.port}`,
    async mint(request) {
      if (!issuer) throw new Error('this deployment does not accept tokens of the local issuer');
      return issuer.mint(request);
    },
    clock,
    levers,
    metrics,
    alarms: alarms.all,
    queues,
    tablesEndpoint: tables.endpoint,
    awsUrl: aws.url,
    busName: resolve<string>(template.output('EventBusName') ?? ''),
    async heaps() {
      const named = await Promise.all([...functions.values()].map(async (fn) => [fn.name, Math.max(0, ...(await fn.heaps()))] as const));
      return { own: heapBytes(), functions: Object.fromEntries(named), tables: await tables.heap() };
    },
    async grants() {
      return { all: namesOf(grants), used: [...gate.used(), ...(await tables.used())] };
    },
    expire: () => tables.deleteExpired(clock.now()),
    functions: functions.size,
    connections: () => [...sockets.values()].reduce((sum, socket) => sum + socket.count(), 0),
    invoke: (name) => functionNamed(counterparts, name).invoke({}),
    async settled() {
      await untilTwice(() => !busy() && work.every((queue) => queue.visible() === 0));
    },
    pending,
    async finish(limitMs) {
      for (const http of httpApis.values()) http.refuse();
      aws.refuse();
      const deadline = Date.now() + limitMs;
      await untilTwice(() => Date.now() > deadline || (!busy() && serving() === 0 && pending() === 0));
      return pending();
    },
    async stop() {
      stopping = true;
      clock.stop();
      for (const socket of sockets.values()) socket.stop();
      await door.stop();
      await Promise.all([...functions.values()].map((fn) => fn.stop()));
      await Promise.all([tables.stop(), close(aws.server), apis.stop(), streams?.stop()]);
    },
  };
}

/** The address of everything: the front door, or without one the two APIs' own. */
function openDoor({ port, host = null }: LocalOptions, deployment: Deployment): Promise<FrontDoor> {
  const behaviors = readDistribution(deployment.template, deployment.resolve);
  return frontDoor(port, host, behaviors === null ? directRouter(deployment) : localRouter(behaviors, deployment));
}

/** Resolves when the claim held twice in a row, because a function that ends may have started something. */
async function untilTwice(claim: () => boolean): Promise<void> {
  for (let times = 0; times < 2; times = claim() ? times + 1 : 0) await new Promise((done) => setTimeout(done, POLL_MS));
}

/** Of the addresses that stand for all of the machine's, one that a client can use. */
const urlAt = (host: string | null, port: number): string => {
  const name = host === null || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

function functionNamed({ functions }: Counterparts, name: string) {
  const fn = [...functions.values()].find((one) => one.name === name);
  if (!fn) throw new Error(`there is no function ${name}`);
  return fn;
}

/** A local deployment under construction: the counterparts made so far, and the template's references to them. */
import type { LocalClock } from './base/clock.ts';
import type { Levers } from './base/levers.ts';
import type { LogStore } from './base/log-store.ts';
import type { Gate } from './base/policy.mjs';
import { PSEUDO, type Resolve, resolveValue, type Template } from './base/template.ts';
import type { LocalIssuer } from './issuer.ts';
import type { LocalAlarms } from './metrics/alarms.ts';
import type { MetricStore } from './metrics/store.ts';
import type { LocalBucket } from './resources/bucket.ts';
import type { LocalBus } from './resources/event-bus.ts';
import type { Executions } from './resources/executions.ts';
import type { LocalFunction } from './resources/function.ts';
import type { LocalFunctionUrl } from './resources/function-url.ts';
import type { LocalHttpApi } from './resources/http-api.ts';
import type { LocalQueue } from './resources/queue.ts';
import type { LocalSocketApi } from './resources/socket-api.ts';
import type { LocalTables } from './resources/tables.ts';

/** Local counterparts by the id of their resource; WebSocket APIs by the name of their stage. */
export interface Counterparts {
  readonly queues: Map<string, LocalQueue>;
  readonly buses: Map<string, LocalBus>;
  readonly secrets: Map<string, string>;
  readonly buckets: Map<string, LocalBucket>;
  readonly functions: Map<string, LocalFunction>;
  readonly sockets: Map<string, LocalSocketApi>;
  readonly httpApis: Map<string, LocalHttpApi>;
  readonly functionUrls: Map<string, LocalFunctionUrl>;
}

export const noCounterparts = (): Counterparts => ({
  queues: new Map(),
  buses: new Map(),
  secrets: new Map(),
  buckets: new Map(),
  functions: new Map(),
  sockets: new Map(),
  httpApis: new Map(),
  functionUrls: new Map(),
});

export interface Deployment extends Counterparts {
  readonly template: Template;
  readonly tables: LocalTables;
  readonly issuer: LocalIssuer | null;
  /** URL of the local AWS APIs. */
  readonly awsUrl: string;
  readonly dataDir: string | null;
  /** The publish key. */
  readonly secret: string;
  readonly clock: LocalClock;
  readonly levers: Levers;
  readonly executions: Executions;
  /** Takes a request from the account's quota, which the HTTP API and `@connections` share; false if it is spent. */
  readonly admit: () => boolean;
  /** The functions' permissions. */
  readonly gate: Gate;
  readonly metrics: MetricStore;
  readonly logs: LogStore;
  readonly alarms: LocalAlarms;
  readonly log: (name: string, line: string) => void;
  readonly warn: (message: string) => void;
  /** Resolves the references in a value of the template. */
  readonly resolve: Resolve;
  /** Called when all resources are made. */
  readonly whenReady: (() => void)[];
}

export const arnOf = (id: string): string => `arn:local:${id}`;
export const idOfArn = (arn: unknown): string => String(arn).replace(/^arn:local:/, '');

export const distributionArn = (id: string): string => `arn:aws:cloudfront::${PSEUDO['AWS::AccountId']}:distribution/${id}`;

/**
 * Resolves the template's references, and those to the value of a secret that is made already. Throws an error that names one that
 * the local run does not support.
 */
export function resolver(template: Template, awsUrl: string, secrets: ReadonlyMap<string, string>): Resolve {
  const byId = new Map(template.resources.map((resource) => [resource.id, resource]));
  const refer = (id: string, attribute: string | null): string => {
    const resource = byId.get(id);
    if (!resource) throw new Error(`the template refers to ${id}, which it does not contain`);
    // a URL's attribute names the function that it leads to
    if (attribute === 'FunctionArn') return resolveValue(resource.properties['TargetFunctionArn'], refer) as string;
    if (attribute === 'FunctionUrl') return `https://${id}.lambda-url.local/`;
    if (attribute === 'Arn' || attribute === 'FunctionARN' || resource.type === 'AWS::SecretsManager::Secret') return arnOf(id);
    if (attribute === null) return resource.type === 'AWS::SQS::Queue' ? `${awsUrl}/000000000000/${id}` : id;
    if (attribute !== null && NAMED_BY_ID.has(attribute)) return id;
    throw new Error(`the local run does not support the attribute ${attribute} of ${resource.type}: add it to local/deployment.ts`);
  };
  return <Value>(value: unknown): Value => withSecrets(resolveValue(value, refer), secrets) as Value;
}

/** Attributes for which the id of the resource stands. */
const NAMED_BY_ID = new Set(['QueueName', 'RegionalDomainName', 'DomainName', 'Id']);

/** Puts the values of secrets in the place of CloudFormation's references to them. */
function withSecrets(value: unknown, secrets: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => withSecrets(one, secrets));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withSecrets(one, secrets)]));
  if (typeof value !== 'string') return value;
  return value.replace(
    /\{\{resolve:secretsmanager:([^}]*?):SecretString:[^}]*\}\}/g,
    (reference, arn: string) => secrets.get(arn) ?? reference,
  );
}

export function functionOf({ functions }: Counterparts, reference: unknown): LocalFunction {
  const fn = functions.get(idOfArn(reference));
  if (!fn) throw new Error(`the template refers to a function ${String(reference)} that it does not contain`);
  return fn;
}

export function queueOf({ queues }: Counterparts, arn: unknown): LocalQueue {
  const queue = queues.get(idOfArn(arn));
  if (!queue) throw new Error(`the template refers to a queue ${String(arn)} that it does not contain`);
  return queue;
}

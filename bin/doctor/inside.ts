/** A deployment judged by its resources, with credentials of its account. */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand, GetPolicyCommand, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { cut } from '../../core/base/text.ts';
import { ENV, SOCKET_STAGE } from '../../core/names.ts';
import { type DeployedTemplate, outputsOf, resourcesOf, type StackResource, type StackTarget, templateOf } from '../stack-target.ts';
import { type Clients, makeClients } from './clients.ts';
import { bad, type Finding, good, note } from './finding.ts';

interface Looked {
  readonly target: StackTarget;
  readonly resources: readonly StackResource[];
  readonly deployed: DeployedTemplate;
  /** What this checkout would deploy, with the default settings. */
  readonly expected: DeployedTemplate;
  readonly clients: Clients;
  /** The deployment's own event bus. */
  readonly bus: string | undefined;
}

/** Logs are read from so long ago. */
const LOGS_MS = 10 * 60_000;

export async function* fromInside(target: StackTarget, expected: DeployedTemplate): AsyncGenerator<Finding> {
  const clients = makeClients(target);
  try {
    const [resources, deployed, outputs] = await Promise.all([resourcesOf(target), templateOf(target), outputsOf(target)]);
    const looked: Looked = { target, clients, expected, resources, deployed, bus: outputs.get('EventBusName') };
    yield* judgeParts(looked);
    yield* judgeBundles(looked);
    for (const judge of [judgeFunctions, judgeTables, judgeRules, judgeQueues, judgeUrlGrants, judgeLogs]) {
      const findings = await judge(looked);
      yield* findings;
    }
  } finally {
    clients.destroy();
  }
}

const ofType = ({ resources }: Pick<Looked, 'resources'>, type: string) => resources.filter((one) => one.type === type);

/** Parts that every deployment has, whatever its settings. */
const PARTS = ['AWS::ApiGatewayV2::Route', 'AWS::DynamoDB::GlobalTable', 'AWS::Events::Rule', 'AWS::Lambda::Function', 'AWS::SQS::Queue'];

/** Some settings leave these out. */
const OPTIONAL = /^(Streams|FrontDoor)/;

function* judgeParts({ expected, resources }: Looked): Generator<Finding> {
  const there = new Set(resources.map(({ id }) => id));
  const missing = Object.entries(expected.Resources ?? {}).filter(
    ([id, { Type }]) => PARTS.includes(Type) && !OPTIONAL.test(id) && !there.has(id),
  );
  for (const [id, { Type, Properties }] of missing)
    yield bad('missing part', `the stack has no ${id} (${Type}${shown(Properties)}), which this checkout deploys: npm run deploy`);
  if (missing.length === 0) yield good('parts', `${resources.length} resources, and none that this checkout deploys is missing`);
}

/** Of a route its key, for its id says little. */
const shown = (properties: Readonly<Record<string, unknown>> = {}): string =>
  properties['RouteKey'] === undefined ? '' : ` ${String(properties['RouteKey'])}`;

/** A function's code is named by its content. */
const codeOf = (template: DeployedTemplate, id: string): string =>
  String((template.Resources?.[id]?.Properties?.['Code'] as { S3Key?: unknown } | undefined)?.S3Key);

function* judgeBundles(looked: Looked): Generator<Finding> {
  const stale = ofType(looked, 'AWS::Lambda::Function').filter(
    ({ id }) => looked.expected.Resources?.[id] !== undefined && codeOf(looked.deployed, id) !== codeOf(looked.expected, id),
  );
  for (const { id } of stale)
    yield bad('stale bundle', `the code of ${id} is not what this checkout makes of it: npm run deploy, or check out what was deployed`);
  if (stale.length === 0) yield good('bundles', "every function has this checkout's code");
}

async function judgeFunctions(looked: Looked): Promise<Finding[]> {
  const { clients } = looked;
  const socketApi = ofType(looked, 'AWS::ApiGatewayV2::Api').find(({ id }) => id.startsWith('Socket'))?.physicalId ?? '';
  const findings: Finding[] = [];
  const keys = new Map<string, string[]>();
  for (const { id, physicalId } of ofType(looked, 'AWS::Lambda::Function')) {
    const found = await orMissing(clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: physicalId })));
    if (found === null) {
      findings.push(
        bad('missing function', `${id} (${physicalId}) was deleted: npm run deploy after a rollback, or deploy the stack anew`),
      );
      continue;
    }
    const { State, LastUpdateStatus, Environment } = found;
    if (State !== 'Active' || LastUpdateStatus === 'Failed')
      findings.push(bad('function', `${id} is ${State}, and its last update ${LastUpdateStatus}: the Lambda console says why`));
    const { [ENV.callbackUrl]: callback, [ENV.originKey]: originKey } = Environment?.Variables ?? {};
    if (callback !== undefined && !isCallback(callback, socketApi, looked.target))
      findings.push(
        bad(
          'wrong callback URL',
          `${id} posts to ${callback}, which is not the stage ${SOCKET_STAGE} of the WebSocket API ${socketApi}: ${ENV.callbackUrl}`,
        ),
      );
    if (originKey !== undefined) keys.set(originKey, [...(keys.get(originKey) ?? []), id]);
  }
  if (keys.size > 1)
    findings.push(
      bad(
        'closed origin',
        `${ENV.originKey} differs between functions: ${[...keys.values()].map((ids) => ids.join(' and ')).join(' against ')}. The front door sends one: npm run deploy sets all`,
      ),
    );
  return findings.length > 0 ? findings : [good('functions', 'active, and they post to their own WebSocket API')];
}

/** An emulator has addresses of its own. */
const isCallback = (url: string, apiId: string, { client }: StackTarget): boolean =>
  url.startsWith(`https://${apiId}.execute-api.`)
    ? url.endsWith(`/${SOCKET_STAGE}`)
    : client.endpoint === undefined && process.env['AWS_ENDPOINT_URL'] !== undefined && url.includes(apiId);

async function judgeTables(looked: Looked): Promise<Finding[]> {
  const tables = ofType(looked, 'AWS::DynamoDB::GlobalTable');
  const findings: Finding[] = [];
  for (const { id, physicalId } of tables) {
    const found = await orMissing(looked.clients.tables.send(new DescribeTableCommand({ TableName: physicalId })));
    const status = found?.Table?.TableStatus ?? null;
    if (status === null)
      findings.push(bad('missing table', `${id} (${physicalId}) was deleted: restore it from a backup under its name (docs/operate.md)`));
    else if (status !== 'ACTIVE') findings.push(bad('table', `${id} (${physicalId}) is ${status}`));
  }
  return findings.length > 0 ? findings : [good('tables', `${tables.length}, all active`)];
}

async function judgeRules(looked: Looked): Promise<Finding[]> {
  const rules = ofType(looked, 'AWS::Events::Rule');
  const findings: Finding[] = [];
  for (const { id, physicalId } of rules) {
    // AWS puts the bus before the name, `bus|rule`
    const Name = physicalId.split('|').at(-1) ?? '';
    const onBus = looked.deployed.Resources?.[id]?.Properties?.['EventBusName'] !== undefined;
    const rule = new DescribeRuleCommand({ Name, ...(onBus && looked.bus !== undefined ? { EventBusName: looked.bus } : {}) });
    const found = await orMissing(looked.clients.events.send(rule));
    if (found === null) findings.push(bad('missing rule', `${id} (${Name}) was deleted: its events go nowhere`));
    else if (found.State === 'DISABLED') findings.push(bad('rule disabled', `${id} (${Name}) is disabled: aws events enable-rule`));
  }
  return findings.length > 0 ? findings : [good('rules', `${rules.length}, all enabled`)];
}

async function judgeQueues(looked: Looked): Promise<Finding[]> {
  const { clients, target } = looked;
  const queues = ofType(looked, 'AWS::SQS::Queue');
  const findings: Finding[] = [];
  for (const { id, physicalId } of queues) {
    const QueueUrl = physicalId.startsWith('http') ? physicalId : `${target.client.endpoint ?? ''}/000000000000/${physicalId}`;
    const found = await orMissing(clients.queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })));
    const { QueueArn, RedrivePolicy, ApproximateNumberOfMessages = '0' } = found?.Attributes ?? {};
    if (QueueArn === undefined) findings.push(bad('missing queue', `${id} was deleted`));
    else if (RedrivePolicy === undefined) {
      if (ApproximateNumberOfMessages !== '0')
        findings.push(note('dead letters', `${ApproximateNumberOfMessages} in ${id}: npm run dead-letters -- show ${id}`));
    } else {
      const { EventSourceMappings = [] } = await clients.lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn: QueueArn }));
      if (!EventSourceMappings.some(({ State = '' }) => ['Enabled', 'Enabling', 'Updating', 'Creating'].includes(State)))
        findings.push(
          bad(
            'queue without consumer',
            `no function takes the ${ApproximateNumberOfMessages} messages of ${id}: its event source mapping is missing or disabled`,
          ),
        );
    }
  }
  return findings.some(({ outcome }) => outcome === 'bad')
    ? findings
    : [good('queues', `${queues.length}, each with its consumer`), ...findings];
}

/** What a caller of a function's URL must be allowed, the second since October 2025. */
const URL_GRANTS = ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'];

async function judgeUrlGrants(looked: Looked): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { physicalId } of ofType(looked, 'AWS::Lambda::Url')) {
    const found = await orMissing(looked.clients.lambda.send(new GetPolicyCommand({ FunctionName: physicalId })));
    const granted = new Set(
      (JSON.parse(found?.Policy ?? '{"Statement":[]}') as { Statement: { Action: string }[] }).Statement.map(({ Action }) => Action),
    );
    const missing = URL_GRANTS.filter((action) => !granted.has(action));
    if (missing.length > 0)
      findings.push(
        bad(
          'missing grant',
          `the policy of ${physicalId} does not allow ${missing.join(' and ')} to those who call its URL: event streams answer 403`,
        ),
      );
    else findings.push(good('event streams', 'the function URL has both of its grants'));
  }
  return findings;
}

const REFUSED = ['AccessDenied', 'not authorized'];

/** A grant that is missing shows when the call is made. */
async function judgeLogs(looked: Looked): Promise<Finding[]> {
  const refusals = new Map<string, string>();
  for (const { id, physicalId: logGroupName } of ofType(looked, 'AWS::Logs::LogGroup'))
    for (const text of REFUSED) {
      const query = { logGroupName, startTime: Date.now() - LOGS_MS, filterPattern: JSON.stringify(text) };
      const found = await orMissing(looked.clients.logs.send(new FilterLogEventsCommand(query)));
      for (const { message = '' } of found?.events ?? []) refusals.set(reasonIn(message), id);
    }
  if (refusals.size === 0) return [good('grants', 'no function was refused a call in the last ten minutes')];
  return [...refusals].map(([reason, id]) => bad('missing grant', `in the log ${id}: ${cut(reason, 400)}`));
}

/** The error in a function's log line. */
function reasonIn(line: string): string {
  if (!line.startsWith('{')) return line;
  const { message, error } = JSON.parse(line) as { message?: string; error?: { message?: string } };
  return error?.message ?? message ?? line;
}

/** The answer; `null` if what was asked for does not exist. */
async function orMissing<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    if (/NotFound|NonExistent|DoesNotExist/.test((error as Error).name)) return null;
    throw error;
  }
}

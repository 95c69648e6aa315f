/** cdk-nag's rules for good architecture, checked at each synth; and what is accepted all the same, each with its reason. */
import { type App, CfnResource, type Stack, Validations } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';

interface Accepted {
  readonly rule: string;
  /** Paths of the resources for which it is accepted. */
  readonly at: RegExp;
  readonly reason: string;
}

const QUEUE_FED = 'its queue has a dead-letter queue, and a failed message comes back alone';
const EVERY_MINUTE = 'the next minute does the same: a retry or a dead letter would run beside it';

const NO_ACCESS_LOGS = 'each request leaves a line of its function; logs of a WebSocket stage need a role of the whole account';
const SOCKET_STAGE = /\/Socket\/Stage\//;
const DISTRIBUTION = /\/FrontDoor\/Distribution\//;
/** Constructs that make functions. */
const FUNCTIONS = /\/(Delivery|Ingest|Socket|Http|Page|Schedules|Streams|Workers)\//;

const ACCEPTED: readonly Accepted[] = [
  {
    rule: 'AwsSolutions::AwsSolutions-APIG4',
    at: /\/(Socket|Http)\/Api\//,
    reason: 'the functions ask for the token themselves, on every transport alike: AUTH_MODE, which no stage but local may leave open',
  },
  { rule: 'AwsSolutions::AwsSolutions-APIG1', at: SOCKET_STAGE, reason: NO_ACCESS_LOGS },
  { rule: 'Serverless::Serverless-APIGWAccessLogging', at: SOCKET_STAGE, reason: NO_ACCESS_LOGS },
  {
    rule: 'Serverless::Serverless-APIGWDefaultThrottling',
    at: SOCKET_STAGE,
    reason: 'a throttled message would be lost without an answer; ws-message limits each connection, and answers',
  },
  {
    rule: 'Serverless::Serverless-SNSRedrivePolicy',
    at: /\/Alarms\/Topic\//,
    reason: 'its mails say what stands on the dashboard too: one that cannot be delivered needs no dead letters',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-S1',
    at: /\/Bodies\/Bucket\//,
    reason: 'bodies live for a day, and only functions read them, which log it',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-SMG4',
    at: /\/Http\/PublishKey\//,
    reason: 'its holders are upstreams outside the account: they must be told before the key changes',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-SMG4',
    at: /\/FrontDoor\/OriginKey\//,
    reason: 'the distribution takes minutes to send a new key, in which the APIs would refuse it; it lets nobody in who has no token',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-CFR1',
    at: DISTRIBUTION,
    reason: 'the callers may be anywhere; a web ACL can restrict them: WEB_ACL_ARN',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-CFR2',
    at: DISTRIBUTION,
    reason: 'WEB_ACL_ARN names one: what it costs is for the account to decide',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-CFR3',
    at: DISTRIBUTION,
    reason:
      'the older logs hold the query, and tickets with it; the newer ones, without it, are kept where CloudFront has them: in us-east-1',
  },
  {
    rule: 'AwsSolutions::AwsSolutions-CFR4',
    at: DISTRIBUTION,
    reason: "the certificate of CloudFront's own host names comes with its own policy; with DOMAIN_NAME it is TLS 1.2 and newer",
  },
  { rule: 'Serverless::Serverless-SQSRedrivePolicy', at: /\/Dead\//, reason: 'it is a dead-letter queue itself' },
  { rule: 'Serverless::Serverless-LambdaEventSourceMappingDestination', at: /mapping\//, reason: QUEUE_FED },
  { rule: 'Serverless::Serverless-EventBusDLQ', at: /\/Schedules\//, reason: EVERY_MINUTE },
  { rule: 'Serverless::Serverless-LambdaAsyncFailureDestination', at: /\/Schedules\//, reason: EVERY_MINUTE },
  {
    rule: 'Serverless::Serverless-LambdaDLQ',
    at: FUNCTIONS,
    reason: `called for an answer; or ${QUEUE_FED}; or ${EVERY_MINUTE}`,
  },
  {
    rule: 'Serverless::Serverless-LambdaTracing',
    at: FUNCTIONS,
    reason: 'the logs of a message share its trace id; recorded traces would be billed for each message',
  },
];

/** Resources with a wildcard that a policy may name. */
const WILDCARDS: readonly { readonly resource: RegExp; readonly reason: string }[] = [
  {
    resource: /\/ws\/(POST|GET|DELETE)\/@connections\/\*$/,
    reason: 'a connection has no name before it is there; the API, the stage and the method are named',
  },
  { resource: /\/messages\/\*$/, reason: 'a body has a random name; the bucket and the folder are named' },
];

/** Adds the checks to an app; the synth fails with what they find. */
export function addNag(app: App, stack: Stack): void {
  for (const resource of stack.node.findAll()) {
    if (!(resource instanceof CfnResource)) continue;
    const known = ACCEPTED.filter(({ at }) => at.test(resource.node.path)).map(({ rule, reason }) => ({ id: rule, reason }));
    const wild = resource instanceof CfnPolicy ? wildcardsOf(resource, stack) : [];
    if (known.length + wild.length > 0) Validations.of(resource).acknowledge(...known, ...wild);
  }
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
}

function wildcardsOf(policy: CfnPolicy, stack: Stack): { id: string; reason: string }[] {
  const { Statement } = stack.resolve(policy.policyDocument) as { Statement: { Resource: unknown }[] };
  const resources = Statement.flatMap(({ Resource }) => Resource).map((one) => flattenCfnReference(one as string));
  return resources.flatMap((resource) => {
    const found = WILDCARDS.find((one) => one.resource.test(resource));
    return found ? { id: `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`, reason: found.reason } : [];
  });
}

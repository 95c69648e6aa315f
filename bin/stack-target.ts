/** The target of a program: a deployment by the name of its stack, or the local run. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';

/** Options that programs with a target share. */
export const TARGET_OPTIONS = { stack: { type: 'string' } } as const;
export const TARGET_USAGE = `options: --stack NAME   a deployment, such as RealtimePush-dev, with the AWS credentials and the region of your shell;
                       without it the local run, whose AWS_PORT is 4567 unless you say otherwise`;

/** Times of a call, in ms: an endpoint that does not answer is told. */
const LIMITS = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true } as const;

const LOCAL_STACK = 'RealtimePush-local';

export interface StackTarget {
  readonly stack: string;
  /** An emulator stands in for AWS, with addresses of its own. */
  readonly isEmulated: boolean;
  /** Options of an SDK client. */
  readonly client: {
    readonly endpoint?: string;
    readonly region?: string;
    readonly credentials?: { accessKeyId: string; secretAccessKey: string };
    readonly requestHandler: typeof LIMITS;
  };
}

export function stackTarget({ stack }: { readonly stack?: string | undefined }, environment: NodeJS.ProcessEnv): StackTarget {
  if (stack !== undefined) return { stack, isEmulated: Boolean(environment['AWS_ENDPOINT_URL']), client: { requestHandler: LIMITS } };
  const endpoint = `http://127.0.0.1:${environment['AWS_PORT'] || '4567'}`;
  // a caller that is no function acts as the owner of the account
  return {
    stack: LOCAL_STACK,
    isEmulated: false,
    client: { endpoint, region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' }, requestHandler: LIMITS },
  };
}

/** The outputs of the stack. Throws an error that says what to do if there is no such stack, or nothing answers. */
export function outputsOf(target: StackTarget): Promise<Map<string, string>> {
  return asked(target, async (cloudFormation) => {
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: target.stack }));
    return new Map((Stacks[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  });
}

/** An output of the stack. Throws as `outputsOf` does, and if there is no such output. */
export async function outputOf(name: string, target: StackTarget): Promise<string> {
  const value = (await outputsOf(target)).get(name);
  if (value === undefined) throw new Error(`the stack ${target.stack} has no output ${name}: deploy this version of it first`);
  return value;
}

/** The template that was deployed. Throws as `outputsOf` does. */
export function templateOf(target: StackTarget): Promise<DeployedTemplate> {
  return asked(target, async (cloudFormation) => {
    const { TemplateBody = '{}' } = await cloudFormation.send(new GetTemplateCommand({ StackName: target.stack }));
    return JSON.parse(TemplateBody) as DeployedTemplate;
  });
}

export interface DeployedTemplate {
  /** By their ids. */
  readonly Resources?: Readonly<Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>>;
}

export interface StackResource {
  /** In the template. */
  readonly id: string;
  readonly physicalId: string;
  readonly type: string;
}

/** The stack's resources. Throws as `outputOf` does. */
export function resourcesOf(target: StackTarget): Promise<StackResource[]> {
  return asked(target, async (client) => {
    const resources: StackResource[] = [];
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: target.stack }))
      for (const { LogicalResourceId = '', PhysicalResourceId = '', ResourceType = '' } of StackResourceSummaries)
        resources.push({ id: LogicalResourceId, physicalId: PhysicalResourceId, type: ResourceType });
    return resources;
  });
}

/** A queue's address. Its physical id is one on AWS, and its name on some emulators. */
export const queueUrl = ({ physicalId }: StackResource, { client }: StackTarget): string =>
  physicalId.startsWith('http') ? physicalId : `${client.endpoint ?? ''}/000000000000/${physicalId}`;

/** The id of the WebSocket API, among the stack's resources. */
export const socketApiOf = (resources: readonly StackResource[]): string =>
  resources.find(({ id, type }) => type === 'AWS::ApiGatewayV2::Api' && id.startsWith('Socket'))?.physicalId ?? '';

async function asked<Value>(target: StackTarget, ask: (client: CloudFormationClient) => Promise<Value>): Promise<Value> {
  const client = new CloudFormationClient({ ...target.client, maxAttempts: 2 });
  try {
    return await ask(client);
  } catch (error) {
    throw explained(error as Error & { code?: string }, target);
  } finally {
    client.destroy();
  }
}

function explained(error: Error & { code?: string }, { stack, client }: StackTarget): Error {
  if (client.endpoint !== undefined && error.code === 'ECONNREFUSED')
    return new Error(
      `no local run answers at ${client.endpoint} (AWS_PORT says where): start it with npm start, or name a deployment with --stack`,
    );
  if (error.name === 'CredentialsProviderError')
    return new Error('your shell has no AWS credentials: aws sts get-caller-identity must answer');
  if (error.message === 'Region is missing') return new Error(`AWS_REGION: set it to the region of ${stack}`);
  if (error.name === 'ValidationError')
    return new Error(`${error.message}: is ${stack} the right name, and the region (AWS_REGION) the right one?`);
  return error;
}

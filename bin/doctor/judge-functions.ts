/** The functions: state, callback address, the front door's key, the grants of the function URL, and what their logs refuse. */
import { GetFunctionConfigurationCommand, GetPolicyCommand } from '@aws-sdk/client-lambda';
import { cut } from '../../core/base/text.ts';
import { ENV, SOCKET_STAGE } from '../../core/names.ts';
import { linesIn } from '../log-lines.ts';
import { socketApiOf } from '../stack-target.ts';
import { bad, type Finding, good } from './finding.ts';
import { type DeployedStack, ofType, orMissing } from './looked.ts';

export async function judgeFunctions(stack: DeployedStack): Promise<Finding[]> {
  const apiId = socketApiOf(stack.resources);
  const findings: Finding[] = [];
  const byKey = new Map<string, string[]>();
  for (const { id, physicalId } of ofType(stack, 'AWS::Lambda::Function')) {
    const found = await orMissing(stack.clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: physicalId })));
    if (found === null) {
      findings.push(
        bad(
          'missing function',
          `${id} (${physicalId}) was deleted, which CloudFormation does not notice: destroy the stack, and deploy it anew`,
        ),
      );
      continue;
    }
    const { State, LastUpdateStatus, Environment } = found;
    if (State !== 'Active' || LastUpdateStatus === 'Failed')
      findings.push(bad('function', `${id} is ${State}, and its last update ${LastUpdateStatus}: the Lambda console says why`));
    const { [ENV.callbackUrl]: callback, [ENV.originKey]: originKey } = Environment?.Variables ?? {};
    if (callback !== undefined && !isCallback(callback, apiId, stack))
      findings.push(
        bad(
          'wrong callback URL',
          `${id} posts to ${callback}, which is not the stage ${SOCKET_STAGE} of the WebSocket API ${apiId}: ${ENV.callbackUrl}`,
        ),
      );
    if (originKey !== undefined) byKey.set(originKey, [...(byKey.get(originKey) ?? []), id]);
  }
  if (byKey.size > 1) {
    const groups = [...byKey.values()].map((ids) => ids.join(' and ')).join(' against ');
    findings.push(
      bad('differing origin keys', `${ENV.originKey} differs between functions: ${groups}. The front door sends one: deploying sets all`),
    );
  }
  return findings.length > 0 ? findings : [good('functions', 'active, and they post to their own WebSocket API')];
}

const isCallback = (url: string, apiId: string, { target }: DeployedStack): boolean =>
  target.isEmulated ? url.includes(apiId) : url.startsWith(`https://${apiId}.execute-api.`) && url.endsWith(`/${SOCKET_STAGE}`);

/** The actions that callers of a function's URL need, the second since October 2025. */
const URL_ACTIONS = ['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction'];

interface PolicyStatement {
  readonly Action: string | readonly string[];
  readonly Principal?: string | { readonly Service?: string | readonly string[] };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export async function judgeUrlGrants(stack: DeployedStack): Promise<Finding[]> {
  const distribution = ofType(stack, 'AWS::CloudFront::Distribution')[0]?.physicalId ?? null;
  const caller = distribution === null ? 'everybody' : `the front door ${distribution}`;
  const findings: Finding[] = [];
  for (const { physicalId } of ofType(stack, 'AWS::Lambda::Url')) {
    const found = await orMissing(stack.clients.lambda.send(new GetPolicyCommand({ FunctionName: physicalId })));
    const { Statement } = JSON.parse(found?.Policy ?? '{"Statement":[]}') as { Statement: PolicyStatement[] };
    const applying = Statement.filter((one) => isForCaller(one, distribution));
    const missing = URL_ACTIONS.filter((action) => !applying.some(({ Action }) => [Action].flat().includes(action)));
    findings.push(
      missing.length === 0
        ? good('event streams', 'the function URL has both of its grants')
        : bad(
            'missing grant of the URL',
            `the policy of ${physicalId} does not allow ${missing.join(' and ')} to ${caller}: event streams answer 403`,
          ),
    );
  }
  return findings;
}

/** A statement for those who call the URL: the distribution, or without one everybody. */
function isForCaller({ Principal, Condition = {} }: PolicyStatement, distribution: string | null): boolean {
  if (distribution === null) return Principal === '*';
  if (typeof Principal !== 'object' || ![Principal.Service ?? []].flat().includes('cloudfront.amazonaws.com')) return false;
  const sources = Object.values(Condition).flatMap((one) => Object.entries(one).filter(([key]) => key.toLowerCase() === 'aws:sourcearn'));
  return sources.every(([, arn]) => arn.endsWith(`/${distribution}`));
}

/** Log lines are read from the last minutes, in ms. */
const LOGS_MS = 10 * 60_000;
/** Parts of a refusal in the words of AWS. */
const REFUSED = ['AccessDenied', 'not authorized'];

/** A missing grant shows in the log when the call is made. */
export async function judgeLogs(stack: DeployedStack): Promise<Finding[]> {
  const refusals = new Map<string, string>();
  for (const { id, physicalId } of ofType(stack, 'AWS::Logs::LogGroup'))
    for (const text of REFUSED)
      for (const line of await linesIn(stack.clients.logs, physicalId, text, Date.now() - LOGS_MS)) refusals.set(reasonIn(line.text), id);
  if (refusals.size === 0) return [good('grants', 'no function was refused a call in the last ten minutes')];
  return [...refusals].map(([reason, id]) => bad('missing grant', `in the log ${id}: ${cut(reason, 400)}`));
}

/** The error in a function's log line. */
function reasonIn(line: string): string {
  if (!line.startsWith('{')) return line;
  const { message, error } = JSON.parse(line) as { message?: string; error?: { message?: string } };
  return error?.message ?? message ?? line;
}

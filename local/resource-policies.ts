/**
 * The policies of functions and queues: the permissions of API Gateway, EventBridge and callers of a function URL. Of conditions
 * only the caller's ARN is evaluated.
 */
import { matches } from './base/policy.mjs';
import { PSEUDO } from './base/template.ts';
import { type Deployment, functionOf, idOfArn } from './deployment.ts';
import type { LocalFunction } from './resources/function.ts';

type Given = Pick<Deployment, 'template' | 'resolve'>;

const permissions = (functionId: string, { template, resolve }: Given): Record<string, unknown>[] =>
  template
    .ofType('AWS::Lambda::Permission')
    .map(({ properties }) => resolve<Record<string, unknown>>(properties))
    .filter(({ FunctionName }) => idOfArn(FunctionName) === functionId);

/** The function as a service calls it. Without permission each call fails, and says what is missing. */
export function calledBy(service: string, sourceArn: string, functionId: string, deployment: Deployment): LocalFunction {
  const fn = functionOf(deployment, functionId);
  const allowed = permissions(functionId, deployment).some(
    ({ Action, Principal, SourceArn }) =>
      matches(String(Action), 'lambda:InvokeFunction') && Principal === service && matches(String(SourceArn ?? '*'), sourceArn),
  );
  if (allowed) return fn;
  const refuse = () => Promise.reject(new Error(`${fn.name} has no AWS::Lambda::Permission for ${service} and ${sourceArn}`));
  return { ...fn, invoke: refuse, stream: refuse };
}

/** A caller of a function's URL: everybody, or a distribution that signs its requests. */
export interface UrlCaller {
  readonly principal: '*' | 'cloudfront.amazonaws.com';
  readonly authType: 'NONE' | 'AWS_IAM';
  readonly arn: string;
}

/** The actions that a function's policy must allow a caller, so that its URL answers; the first always, the second since October 2025. */
export function missingForUrl(functionId: string, { principal, authType, arn }: UrlCaller, given: Given): string[] {
  const open = permissions(functionId, given).filter(
    ({ Principal, SourceArn }) => Principal === principal && matches(String(SourceArn ?? '*'), arn),
  );
  return [
    ...(open.some(
      ({ Action, FunctionUrlAuthType }) => Action === 'lambda:InvokeFunctionUrl' && (FunctionUrlAuthType ?? authType) === authType,
    )
      ? []
      : ['lambda:InvokeFunctionUrl']),
    ...(open.some(({ Action, InvokedViaFunctionUrl }) => Action === 'lambda:InvokeFunction' && InvokedViaFunctionUrl === true)
      ? []
      : ['lambda:InvokeFunction']),
  ];
}

/** Whether a rule may put events onto a queue. */
export function maySendTo(queueId: string, ruleArn: string, { template, resolve }: Given): boolean {
  const policies = template.ofType('AWS::SQS::QueuePolicy').map(({ properties }) => resolve<QueuePolicy>(properties));
  const applying = policies
    .filter(({ Queues }) => Queues.some((url) => url.endsWith(`/${queueId}`)))
    .flatMap(({ PolicyDocument }) => [PolicyDocument.Statement].flat())
    .filter(
      ({ Action = [], Principal = '', Condition }) =>
        [Action].flat().some((action) => matches(action.toLowerCase(), 'sqs:sendmessage')) &&
        (typeof Principal === 'string' ? [Principal] : [Principal.Service ?? [], Principal.AWS ?? []].flat()).some(
          (one) => one === '*' || one === 'events.amazonaws.com',
        ) &&
        // what the rule sends comes over TLS
        !Object.hasOwn(Condition?.['Bool'] ?? {}, 'aws:SecureTransport') &&
        SOURCE_CONDITIONS.every((name) => {
          const wanted = Condition?.[name]?.['aws:SourceArn'];
          return wanted === undefined || [wanted].flat().some((arn) => matches(arn, ruleArn));
        }),
    );
  return applying.some(({ Effect }) => Effect === 'Allow') && !applying.some(({ Effect }) => Effect === 'Deny');
}

const SOURCE_CONDITIONS = ['ArnEquals', 'ArnLike', 'StringEquals', 'StringLike'];

type OneOrMore = string | readonly string[];
interface Statement {
  readonly Effect: string;
  readonly Action?: OneOrMore;
  readonly Principal?: string | { readonly Service?: OneOrMore; readonly AWS?: OneOrMore };
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMore>>>>;
}
interface QueuePolicy {
  readonly Queues: readonly string[];
  readonly PolicyDocument: { readonly Statement: Statement | readonly Statement[] };
}

/** The ARN with which an API calls a route's function. */
export const routeArn = (apiId: string, stage: string, routeKey: string): string =>
  `arn:aws:execute-api:${PSEUDO['AWS::Region']}:${PSEUDO['AWS::AccountId']}:${apiId}/${stage}/${routeKey.replace(' /', '/')}`;

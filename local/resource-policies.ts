/** What the policies of functions and queues let services do: API Gateway, EventBridge, and whoever knows a function's URL. */
import { matches } from './base/policy.mjs';
import { PSEUDO } from './base/template.ts';
import { type Deployment, idOfArn } from './deployment.ts';
import type { LocalFunction } from './resources/function.ts';

type Given = Pick<Deployment, 'template' | 'resolve'>;

const permissions = (functionId: string, { template, resolve }: Given): Record<string, unknown>[] =>
  template
    .ofType('AWS::Lambda::Permission')
    .map(({ properties }) => resolve<Record<string, unknown>>(properties))
    .filter(({ FunctionName }) => idOfArn(FunctionName) === functionId);

/** The function as a service calls it. Without permission each call fails, and says what is missing. */
export function calledBy(service: string, sourceArn: string, fn: LocalFunction, functionId: string, given: Given): LocalFunction {
  const allowed = permissions(functionId, given).some(
    ({ Action, Principal, SourceArn }) =>
      Action === 'lambda:InvokeFunction' && Principal === service && matches(String(SourceArn ?? '*'), sourceArn),
  );
  if (allowed) return fn;
  const refuse = () => Promise.reject(new Error(`${fn.name} has no AWS::Lambda::Permission for ${service} and ${sourceArn}`));
  return { ...fn, invoke: refuse, stream: refuse };
}

/** The actions that a function's policy must allow everybody, so that its URL answers; the first since long, the second since October 2025. */
export function missingForUrl(functionId: string, given: Given): string[] {
  const open = permissions(functionId, given).filter(({ Principal }) => Principal === '*');
  return [
    ...(open.some(({ Action, FunctionUrlAuthType }) => Action === 'lambda:InvokeFunctionUrl' && FunctionUrlAuthType === 'NONE')
      ? []
      : ['lambda:InvokeFunctionUrl']),
    ...(open.some(({ Action, InvokedViaFunctionUrl }) => Action === 'lambda:InvokeFunction' && InvokedViaFunctionUrl === true)
      ? []
      : ['lambda:InvokeFunction']),
  ];
}

/** Whether a rule may put events onto a queue. */
export function mayFill(queueId: string, ruleArn: string, { template, resolve }: Given): boolean {
  const policies = template.ofType('AWS::SQS::QueuePolicy').map(({ properties }) => resolve<QueuePolicy>(properties));
  const here = policies.filter(({ Queues }) => Queues.some((url) => url.endsWith(`/${queueId}`)));
  return here
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .some(
      ({ Effect, Action, Principal, Condition }) =>
        Effect === 'Allow' &&
        [Action].flat().includes('sqs:SendMessage') &&
        Principal.Service === 'events.amazonaws.com' &&
        (Condition?.ArnEquals === undefined || Condition.ArnEquals['aws:SourceArn'] === ruleArn),
    );
}

interface QueuePolicy {
  readonly Queues: readonly string[];
  readonly PolicyDocument: {
    readonly Statement: readonly {
      readonly Effect: string;
      readonly Action: string | readonly string[];
      readonly Principal: { readonly Service?: string };
      readonly Condition?: { readonly ArnEquals?: Readonly<Record<string, string>> };
    }[];
  };
}

/** The ARN of a route, as its API names itself to a function. */
export const routeArn = (apiId: string, stage: string, routeKey: string): string =>
  `arn:aws:execute-api:${PSEUDO['AWS::Region']}:${PSEUDO['AWS::AccountId']}:${apiId}/${stage}/${routeKey}`;

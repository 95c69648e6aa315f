/** Answers of AWS's APIs about a local deployment's resources, to those who look after it. */
import { AwsError } from './aws-error.ts';
import type { Resolve, Template } from './base/template.ts';
import { describeStack } from './cloud-formation.ts';
import { idOfArn } from './deployment.ts';

export interface Described {
  /** CloudFormation's answer to a call in the Query protocol; `null` if it is no call that is supported. */
  stack(body: string): string | null;
  /** Lambda's answer at a path of its API; `null` if there is no such resource. */
  lambda(url: string): object | null;
  /** An EventBridge rule, by its name. Throws if there is none. */
  rule(name: string): object;
  /** DynamoDB's own address. */
  tablesEndpoint(): string;
}

export function describedBy(template: Template, resolve: Resolve, tablesEndpoint: () => string): Described {
  const ofType = (type: string) =>
    template.ofType(type).map(({ id, properties }) => ({ id, properties: resolve<Record<string, unknown>>(properties) }));

  const configuration = (id: string) => {
    const fn = ofType('AWS::Lambda::Function').find((one) => one.id === id);
    return fn ? { FunctionName: id, State: 'Active', LastUpdateStatus: 'Successful', Environment: fn.properties['Environment'] } : null;
  };
  const policy = (id: string) => {
    const grants = ofType('AWS::Lambda::Permission').filter(({ properties }) => idOfArn(properties['FunctionName']) === id);
    const statements = grants.map(({ id: Sid, properties: { Action, Principal, SourceArn } }) => ({
      Sid,
      Effect: 'Allow',
      Action,
      Principal: Principal === '*' ? '*' : { Service: Principal },
      ...(SourceArn === undefined ? {} : { Condition: { ArnLike: { 'AWS:SourceArn': SourceArn } } }),
    }));
    return statements.length === 0 ? null : { Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }) };
  };
  const mappings = (queueArn: string | null) => ({
    EventSourceMappings: ofType('AWS::Lambda::EventSourceMapping')
      .filter(({ properties }) => queueArn === null || properties['EventSourceArn'] === queueArn)
      .map(({ id: UUID, properties }) => ({ UUID, State: properties['Enabled'] === false ? 'Disabled' : 'Enabled' })),
  });

  return {
    stack: (body) => describeStack(body, template, resolve),
    lambda(url) {
      const { pathname, searchParams } = new URL(url, 'http://local');
      const [, , kind, named = '', part] = pathname.split('/');
      const id = idOfArn(decodeURIComponent(named));
      if (kind === 'event-source-mappings') return mappings(searchParams.get('EventSourceArn'));
      if (kind !== 'functions') return null;
      return part === 'configuration' ? configuration(id) : part === 'policy' ? policy(id) : null;
    },
    rule(name) {
      const rule = ofType('AWS::Events::Rule').find(({ id }) => id === name);
      if (!rule) throw new AwsError('ResourceNotFoundException', `there is no rule ${name}`);
      return { Name: name, State: rule.properties['State'] ?? 'ENABLED' };
    },
    tablesEndpoint,
  };
}

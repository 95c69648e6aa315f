/** CloudFormation's answers about the local deployment: its outputs, its resources by their ids, and its template. */
import { PSEUDO, type Resolve, type Template } from './base/template.ts';
import { arnOf } from './deployment.ts';

const STACK = PSEUDO['AWS::StackName'] ?? '';

/** The answer to a call in the Query protocol; `null` if it is none that is supported. */
export function describeStack(body: string, template: Template, resolve: Resolve): string | null {
  const asked = new URLSearchParams(body);
  const action = asked.get('Action');
  if (asked.get('StackName') !== STACK) return null;
  if (action === 'DescribeStacks') {
    const outputs = template.outputs.map((name) => [name, String(resolve(template.output(name)))] as const);
    const members = outputs.map(([name, value]) => member({ OutputKey: name, OutputValue: value }));
    const stack = `<StackName>${STACK}</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime>`;
    return response(action, `<Stacks><member>${stack}<Outputs>${members.join('')}</Outputs></member></Stacks>`);
  }
  if (action === 'ListStackResources') {
    const members = template.resources.map(({ id, type }) =>
      member({
        LogicalResourceId: id,
        PhysicalResourceId: physicalId(id, type, template, resolve),
        ResourceType: type,
        ResourceStatus: 'CREATE_COMPLETE',
        LastUpdatedTimestamp: '2026-01-01T00:00:00Z',
      }),
    );
    return response(action, `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>`);
  }
  if (action === 'GetTemplate') return response(action, `<TemplateBody>${escaped(JSON.stringify(template.whole))}</TemplateBody>`);
  return null;
}

/** The id that AWS gives: of a secret its ARN, of a function's URL that of the function. */
function physicalId(id: string, type: string, template: Template, resolve: Resolve): string {
  if (type === 'AWS::SecretsManager::Secret') return arnOf(id);
  const url = type === 'AWS::Lambda::Url' ? template.ofType(type).find((one) => one.id === id) : undefined;
  return url ? resolve<string>(url.properties['TargetFunctionArn']) : id;
}

const escaped = (text: string): string => text.replace(/[<>&]/g, (one) => `&#${one.charCodeAt(0)};`);

const member = (fields: Readonly<Record<string, string>>): string =>
  `<member>${Object.entries(fields)
    .map(([name, value]) => `<${name}>${escaped(value)}</${name}>`)
    .join('')}</member>`;

const response = (action: string, result: string): string =>
  `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><${action}Result>${result}</${action}Result></${action}Response>`;

/** The deployed template beside this checkout's: missing parts, and code of another day. */
import type { DeployedTemplate } from '../stack-target.ts';
import { bad, DEPLOY, type Finding, good } from './finding.ts';
import { type DeployedStack, ofType } from './looked.ts';

/** Parts that every deployment has, whatever its settings. An event source mapping has the stack's name in its id. */
const PARTS = ['AWS::ApiGatewayV2::Route', 'AWS::DynamoDB::GlobalTable', 'AWS::Events::Rule', 'AWS::Lambda::Function', 'AWS::SQS::Queue'];

/** Some settings leave these out. */
const OPTIONAL = /^(Streams|FrontDoor)/;

export async function judgeParts({ expected, resources }: DeployedStack): Promise<Finding[]> {
  const there = new Set(resources.map(({ id }) => id));
  const missing = Object.entries(expected.Resources ?? {}).filter(
    ([id, { Type }]) => PARTS.includes(Type) && !OPTIONAL.test(id) && !there.has(id),
  );
  if (missing.length === 0) return [good('parts', `${resources.length} resources, and none that this checkout deploys is missing`)];
  return missing.map(([id, { Type, Properties = {} }]) => {
    const route = Properties['RouteKey'] === undefined ? '' : ` ${String(Properties['RouteKey'])}`;
    return bad('missing part', `the stack has no ${id} (${Type}${route}), which this checkout deploys: ${DEPLOY}`);
  });
}

/** The key of a function's code in the assets' bucket: a digest of its content. */
const codeOf = (template: DeployedTemplate, id: string): string =>
  String((template.Resources?.[id]?.Properties?.['Code'] as { S3Key?: unknown } | undefined)?.S3Key);

export async function judgeBundles(stack: DeployedStack): Promise<Finding[]> {
  const { expected, deployed } = stack;
  const stale = ofType(stack, 'AWS::Lambda::Function').filter(
    ({ id }) => expected.Resources?.[id] !== undefined && codeOf(deployed, id) !== codeOf(expected, id),
  );
  if (stale.length === 0) return [good('bundles', "every function has this checkout's code")];
  const ids = stale.map(({ id }) => id).join(', ');
  return [bad('stale bundle', `the code of ${ids} is not what this checkout makes of it. Check out what was deployed, or ${DEPLOY}`)];
}

/** A deployment judged by its resources, with credentials of its account. */
import { type DeployedTemplate, outputsOf, resourcesOf, type StackTarget, templateOf } from '../stack-target.ts';
import { makeClients } from './clients.ts';
import { attempted, type Finding } from './finding.ts';
import { judgeQueues, judgeRules, judgeTables } from './judge-events.ts';
import { judgeFunctions, judgeLogs, judgeUrlGrants } from './judge-functions.ts';
import { judgeBundles, judgeParts } from './judge-template.ts';
import type { DeployedStack } from './looked.ts';

const JUDGES: Readonly<Record<string, (stack: DeployedStack) => Promise<Finding[]>>> = {
  parts: judgeParts,
  bundles: judgeBundles,
  functions: judgeFunctions,
  tables: judgeTables,
  rules: judgeRules,
  queues: judgeQueues,
  'event streams': judgeUrlGrants,
  grants: judgeLogs,
};

export async function* fromInside(target: StackTarget, expected: DeployedTemplate): AsyncGenerator<Finding> {
  const clients = makeClients(target);
  try {
    const [resources, deployed, outputs] = await Promise.all([resourcesOf(target), templateOf(target), outputsOf(target)]);
    const stack: DeployedStack = { target, clients, expected, resources, deployed, bus: outputs.get('EventBusName') };
    for (const [check, judge] of Object.entries(JUDGES)) yield* await attempted(check, () => judge(stack));
  } finally {
    clients.destroy();
  }
}

/** Each function's permissions: the statements of its role's policies, read from the template. */
import type { Statement } from './base/policy.mjs';
import type { Resource, Template } from './base/template.ts';
import { type Deployment, idOfArn } from './deployment.ts';

/** By the function's name. */
export type Grants = Readonly<Record<string, readonly Statement[]>>;

export const nameOf = ({ id, properties }: Resource): string =>
  (properties['Environment'] as { Variables?: Record<string, string> } | undefined)?.Variables?.['POWERTOOLS_SERVICE_NAME'] ?? id;

/** Throws an error that names a managed policy: what it allows does not stand in the template. */
export function grantsOf(template: Template, resolve: Deployment['resolve']): Grants {
  const policies = template.ofType('AWS::IAM::Policy').map(({ properties }) => ({
    roles: resolve<string[]>(properties['Roles']),
    statements: statementsOf(resolve(properties['PolicyDocument'])),
  }));
  const roles = new Map(template.ofType('AWS::IAM::Role').map((role) => [role.id, role.properties]));
  return Object.fromEntries(
    template.ofType('AWS::Lambda::Function').map((fn) => {
      const role = idOfArn(resolve(fn.properties['Role']));
      const { ManagedPolicyArns = [], Policies = [] } = (roles.get(role) ?? {}) as {
        ManagedPolicyArns?: unknown[];
        Policies?: { PolicyDocument: unknown }[];
      };
      if (ManagedPolicyArns.length > 0)
        throw new Error(
          `the role of ${fn.id} has the managed policy ${String(resolve(ManagedPolicyArns[0]))}: grant what it needs instead`,
        );
      const own = Policies.flatMap(({ PolicyDocument }) => statementsOf(resolve(PolicyDocument)));
      return [nameOf(fn), [...own, ...policies.filter((policy) => policy.roles.includes(role)).flatMap(({ statements }) => statements)]];
    }),
  );
}

/** A line for each action on each resource: `function action resource`. */
export const named = (grants: Grants): string[] =>
  Object.entries(grants).flatMap(([name, statements]) =>
    statements.flatMap(({ actions, resources }) =>
      actions.flatMap((action) => resources.map((resource) => `${name} ${action} ${resource}`)),
    ),
  );

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value : [value]).map(String);

function statementsOf(document: unknown): Statement[] {
  const { Statement: statements } = document as { Statement: { Effect: Statement['effect']; Action: unknown; Resource: unknown }[] };
  return statements.map(({ Effect, Action, Resource: resources }) => ({
    effect: Effect,
    actions: listOf(Action),
    resources: listOf(resources),
  }));
}

import type { DeployedTemplate, StackResource, StackTarget } from '../stack-target.ts';
import type { Clients } from './clients.ts';

/** A deployed stack, as its judges look at it. */
export interface DeployedStack {
  readonly target: StackTarget;
  readonly clients: Clients;
  readonly resources: readonly StackResource[];
  readonly deployed: DeployedTemplate;
  /** This checkout's template, with the default settings. */
  readonly expected: DeployedTemplate;
  /** The deployment's own event bus. */
  readonly bus: string | undefined;
}

export const ofType = ({ resources }: Pick<DeployedStack, 'resources'>, type: string) => resources.filter((one) => one.type === type);

/** The answer to a call; `null` if the resource that it asks for does not exist. */
export async function orMissing<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  try {
    return await asked;
  } catch (error) {
    if (/NotFound|NonExistent|DoesNotExist/.test((error as Error).name)) return null;
    throw error;
  }
}

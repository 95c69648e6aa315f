/** A step of a deployment as an event, for `npm run publish -- deployment`. */

/** A mistake of the caller, printed without a stack. */
export class UsageError extends Error {}

const STATES = ['in_progress', 'completed', 'failed'] as const;
type State = (typeof STATES)[number];
const isState = (word: string): word is State => STATES.some((one) => one === word);

/** The variables of CI systems that name the branch and the commit, first come. */
const BRANCH = ['GITHUB_HEAD_REF', 'GITHUB_REF_NAME', 'CI_COMMIT_REF_NAME', 'BRANCH_NAME'];
const COMMIT = ['GITHUB_SHA', 'CI_COMMIT_SHA', 'GIT_COMMIT'];

export interface DeploymentWords {
  readonly branch: string | undefined;
  readonly commit: string | undefined;
}

/**
 * `detail` of `PoscoChanged`. `words`: the deployment's id, all its steps, the step, its state and a message. The steps before it are
 * completed, those behind it pending.
 */
export function deploymentOf(words: readonly string[], given: DeploymentWords, environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const [id = '', list = '', step = '', state = 'in_progress', message, ...extra] = words;
  const names = list.split(',').map((name) => name.trim());
  if (step === '' || extra.length > 0)
    throw new UsageError('expected ID, STEPS, STEP and at most STATE and MESSAGE, such as: 42 build,test,deploy test completed');
  if (!isState(state)) throw new UsageError(`STATE: expected ${STATES.join(', ')}; got ${JSON.stringify(state)}`);
  const at = names.indexOf(step);
  if (at < 0 || new Set(names).size < names.length)
    throw new UsageError(`STEP: expected one of STEPS, each named once; got ${JSON.stringify(step)} of ${JSON.stringify(list)}`);
  const done = state === 'completed' ? at + 1 : at;
  const first = (variables: readonly string[]): string => variables.map((name) => environment[name]).find(Boolean) ?? '';
  return {
    event_type: eventOf(state, at, done === names.length),
    branch: given.branch ?? first(BRANCH),
    commit_hash: given.commit ?? first(COMMIT),
    deployment_id: id,
    status: state === 'completed' && done < names.length ? 'in_progress' : state,
    progress: Math.round((done / names.length) * 100),
    message: message ?? `${step}: ${state.replace('_', ' ')}`,
    // a step has no word for a failure: the deployment's status says it
    steps: names.map((name, index) => ({ name, status: index < done ? 'completed' : index === at ? 'in_progress' : 'pending' })),
  };
}

function eventOf(state: State, at: number, isOver: boolean): string {
  if (state === 'failed') return 'deployment_failed';
  if (isOver) return 'deployment_completed';
  return at === 0 && state === 'in_progress' ? 'deployment_started' : 'deployment_progress';
}

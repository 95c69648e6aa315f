/** The CDK app: which stacks exist, and nothing else. */
import { fileURLToPath } from 'node:url';
import { App, type AppProps } from 'aws-cdk-lib';
import type { System } from '../core/channels/system.ts';
import { SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { PushStack } from '../lib/push-stack.ts';
import { STAGES, type Stage, stackName } from '../lib/stage.ts';
import { BUNDLES } from './build.ts';
import { addNag } from './nag.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

export interface StackOptions {
  readonly stage: Stage;
  /** `null` = the one of the shell that deploys. */
  readonly region?: string | null;
  readonly settings: Settings;
  readonly systems: readonly System[];
  /** Folder with a bundle for each function. */
  readonly bundles?: string;
}

/** Synthesises the stack into a folder, unchecked. Returns the file of its template. */
export function synthesise(outdir: string, options: StackOptions): string {
  // the CDK's rules for templates take longer than the rest of the synthesis; `cdk synth` and `cdk deploy` check them
  const app = new App({ outdir, analyticsReporting: false, builtinCloudFormationValidation: false, treeMetadata: false });
  const { artifactId } = makeStack(app, options);
  return app.synth().getStackArtifact(artifactId).templateFullPath;
}

function makeStack(app: App, { stage, region = null, settings, systems, bundles = BUNDLES }: StackOptions): PushStack {
  return new PushStack(app, stackName(stage), {
    stage,
    settings,
    systems,
    bundles,
    description: 'Serverless push: EventBridge events to connected clients',
    ...(region === null ? {} : { env: { region } }),
  });
}

/** Throws an error that says what to do if anybody who knows the address could read every user's topics. */
function refuseAnonymous(stage: Stage, settings: Settings, environment: NodeJS.ProcessEnv): void {
  if (stage === 'local' || settings[SETTING.authMode] !== 'none' || environment['ALLOW_ANONYMOUS'] === 'true') return;
  throw new Error(
    `${SETTING.authMode} is none: anybody who knows the address could read every user's topics. Set ${SETTING.authMode}=jwt with ${SETTING.jwtIssuer} and ${SETTING.jwtAudience}, or say ALLOW_ANONYMOUS=true. A template for this machine: -c stage=local`,
  );
}

function stageOf(given: unknown): Stage {
  const stage = STAGES.find((one) => one === (given ?? 'dev'));
  if (stage) return stage;
  throw new Error(`-c stage: expected ${STAGES.join(', ')}, got ${JSON.stringify(given)}`);
}

/** The app as `cdk synth` and `cdk deploy` make it. Throws an error that says what in the settings or the context cannot be used. */
export async function makeDeployment(environment: NodeJS.ProcessEnv, props: AppProps = {}): Promise<App> {
  const app = new App({ analyticsReporting: false, ...props });
  const stage = stageOf(app.node.tryGetContext('stage'));
  const region = (app.node.tryGetContext('region') as string | undefined) || environment['CDK_DEFAULT_REGION'] || null;
  const systems = await loadSystems(systemsModule(environment));
  const settings = readSettings(environment, systems);
  refuseAnonymous(stage, settings, environment);
  addNag(app, makeStack(app, { stage, region, settings, systems }));
  return app;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    (await makeDeployment(process.env)).synth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

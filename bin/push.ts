/** The CDK app: which stacks exist, and nothing else. */
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import type { System } from '../core/channels/system.ts';
import { SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { PushStack } from '../lib/push-stack.ts';
import { STAGES, type Stage, stackName } from '../lib/stage.ts';
import { BUNDLES } from './build.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

export interface AppOptions {
  readonly stage: Stage;
  /** `null` = the one of the shell that deploys. */
  readonly region?: string | null;
  readonly settings: Settings;
  readonly systems: readonly System[];
  /** Folder with a bundle for each function. */
  readonly bundles?: string;
  readonly outdir?: string;
  /** Context of the app, as the command line gives it. */
  readonly app?: App;
}

export function makeApp({ stage, region = null, settings, systems, bundles = BUNDLES, outdir, app }: AppOptions): App {
  const made = app ?? new App({ outdir, analyticsReporting: false });
  new PushStack(made, stackName(stage), {
    stage,
    settings,
    systems,
    bundles,
    description: 'Serverless push: EventBridge events to connected clients',
    ...(region === null ? {} : { env: { region } }),
  });
  return made;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const app = new App({ analyticsReporting: false });
    const stage = stageOf(app.node.tryGetContext('stage'));
    const region = (app.node.tryGetContext('region') as string | undefined) || process.env['CDK_DEFAULT_REGION'] || null;
    const systems = await loadSystems(systemsModule(process.env));
    const settings = readSettings(process.env, systems);
    refuseAnonymous(stage, settings, process.env);
    makeApp({ app, stage, region, settings, systems }).synth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** The CDK app: which stacks exist, and nothing else. */
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import type { System } from '../core/channels/system.ts';
import type { Settings } from '../core/settings.ts';
import { PushStack } from '../lib/push-stack.ts';
import { BUNDLES } from './build.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

export const STACK = 'RealtimePush';

export interface AppOptions {
  readonly settings: Settings;
  readonly systems: readonly System[];
  /** Folder with a bundle for each function. */
  readonly bundles?: string;
  readonly outdir?: string;
}

export function makeApp({ settings, systems, bundles = BUNDLES, outdir }: AppOptions): App {
  const app = new App({ outdir, analyticsReporting: false });
  new PushStack(app, STACK, { settings, systems, bundles, description: 'Serverless push: EventBridge events to connected clients' });
  return app;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const systems = await loadSystems(systemsModule(process.env));
    makeApp({ settings: readSettings(process.env, systems), systems }).synth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** The CDK app: which stacks exist, and nothing else. */
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { PushStack } from '../lib/push-stack.ts';
import { BUNDLES } from './build.ts';
import { readSettings, type Settings } from './settings.ts';

export const STACK = 'RealtimePush';

export function makeApp({ settings, outdir }: { settings: Settings; outdir?: string }): App {
  const app = new App({ outdir, analyticsReporting: false });
  new PushStack(app, STACK, { settings, bundles: BUNDLES, description: 'Serverless push: EventBridge events to connected clients' });
  return app;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    makeApp({ settings: readSettings(process.env) }).synth();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** All checks of a deployment, in order. */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { assemble } from '../assemble.ts';
import { BUNDLES, buildId } from '../build.ts';
import type { Deployed } from '../deployed.ts';
import { OPEN_DEFAULTS } from '../local-settings.ts';
import { readSettings } from '../settings.ts';
import type { DeployedTemplate } from '../stack-target.ts';
import { loadSystems, systemsModule } from '../systems.ts';
import type { Finding } from './finding.ts';
import { fromInside } from './inside.ts';
import { fromOutside } from './outside.ts';

export interface ExamineOptions {
  /** A canary may take this long. */
  readonly waitMs: number;
  readonly environment: NodeJS.ProcessEnv;
  /** This checkout's template. @default made anew */
  readonly expected?: () => Promise<DeployedTemplate>;
}

/** All checks, each as soon as it is done. Throws an error that says what to do if the stack cannot be looked at. */
export async function* examine({ target, ...deployed }: Deployed, options: ExamineOptions): AsyncGenerator<Finding> {
  const { waitMs, environment, expected = () => expectedTemplate(environment) } = options;
  yield* fromOutside({ ...deployed, waitMs, build: buildId(systemsModule(environment)) });
  if (target !== null) yield* fromInside(target, await expected());
}

/** This checkout's template. Its parts and code do not depend on the settings. */
async function expectedTemplate(environment: NodeJS.ProcessEnv): Promise<DeployedTemplate> {
  const module = systemsModule(environment);
  const systems = await loadSystems(module);
  // as deep as `dist/functions`, for the bundles' source maps hold paths
  const bundles = `${BUNDLES}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const assembly = await assemble({ settings: readSettings({ ...OPEN_DEFAULTS }, systems), systems, systemsModule: module, bundles });
  try {
    return JSON.parse(readFileSync(assembly.templateFile, 'utf8')) as DeployedTemplate;
  } finally {
    assembly.remove();
    rmSync(bundles, { recursive: true, force: true });
  }
}

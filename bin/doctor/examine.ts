/** All checks of a deployment, in order. */
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { assemble } from '../assemble.ts';
import { BUNDLES, buildId } from '../build.ts';
import { OPEN_DEFAULTS } from '../local-settings.ts';
import { readSettings } from '../settings.ts';
import type { DeployedTemplate } from '../stack-target.ts';
import { loadSystems, systemsModule } from '../systems.ts';
import { addressesOf, type TargetOptions } from './addresses.ts';
import type { Finding } from './finding.ts';
import { fromInside } from './inside.ts';
import { fromOutside } from './outside.ts';

export interface DoctorOptions extends TargetOptions {
  /** Seconds that a canary may take. */
  readonly wait: string;
}

/**
 * All checks, each as soon as it is done. `expected` = what this checkout would deploy. Throws an error that says what to do if the deployment cannot be
 * looked at.
 */
export async function* examine(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  expected: () => Promise<DeployedTemplate> = () => expectedTemplate(environment),
): AsyncGenerator<Finding> {
  const { target, ...deployed } = await addressesOf(options, environment);
  yield* fromOutside({ ...deployed, waitMs: Number(options.wait) * 1000, build: buildId(systemsModule(environment)) });
  if (target !== null) yield* fromInside(target, await expected());
}

/** What this checkout would deploy. Its parts and code do not depend on the settings. */
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { System } from '../core/channels/system.ts';
import type { Settings } from '../core/settings.ts';
import { BUNDLES, buildAll } from './build.ts';
import { SYSTEMS_MODULE } from './systems.ts';

export interface Assembly {
  readonly templateFile: string;
  remove(): void;
}

export interface AssembleOptions {
  readonly settings: Settings;
  readonly systems: readonly System[];
  /** The module that lists the systems, for the bundles. @default `systems/index.ts` */
  readonly systemsModule?: string;
  /** Folder of the bundles. @default `dist/functions` */
  readonly bundles?: string;
  /** The bundles are there already. */
  readonly bundled?: boolean;
  /** Told of each step when it begins. */
  readonly progress?: (step: string) => void;
}

/** Bundles the functions, unless they are bundled already, and synthesises the stack into a folder of its own. */
export async function assemble({
  settings,
  systems,
  systemsModule = SYSTEMS_MODULE,
  bundles = BUNDLES,
  bundled = false,
  progress,
}: AssembleOptions): Promise<Assembly> {
  progress?.(bundled ? 'loading the CDK' : 'bundling the functions');
  // the bundler is a process of its own: it works while the CDK loads, which takes a second
  const [{ synthesise }] = await Promise.all([
    import('./push.ts'),
    bundled ? undefined : buildAll({ systems: systemsModule, outdir: bundles }),
  ]);
  progress?.('synthesising the template');
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-'));
  const templateFile = synthesise(folder, { stage: 'local', settings, systems, bundles });
  return { templateFile, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

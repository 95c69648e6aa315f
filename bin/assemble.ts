import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAll } from './build.ts';
import type { Settings } from './settings.ts';

export interface Assembly {
  readonly templateFile: string;
  remove(): void;
}

/** Bundles the functions, unless they are bundled already, and synthesises the stack into a folder of its own. */
export async function assemble(settings: Settings, { bundled = false } = {}): Promise<Assembly> {
  // the bundler is a process of its own: it works while the CDK, which takes a second, is loaded
  const [{ makeApp, STACK }] = await Promise.all([import('./push.ts'), bundled ? undefined : buildAll()]);
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-'));
  const { templateFullPath } = makeApp({ settings, outdir: folder }).synth().getStackByName(STACK);
  return { templateFile: templateFullPath, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunctions } from './build.ts';
import { makeApp, STACK } from './push.ts';
import type { Settings } from './settings.ts';

export interface Assembly {
  readonly templateFile: string;
  remove(): void;
}

/** Bundles the functions and synthesises the stack into a folder of its own. */
export async function assemble(settings: Settings): Promise<Assembly> {
  await buildFunctions();
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-'));
  const { templateFullPath } = makeApp({ settings, outdir: folder }).synth().getStackByName(STACK);
  return { templateFile: templateFullPath, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

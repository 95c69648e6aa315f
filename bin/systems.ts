/** Which module lists the systems: `systems/index.ts`, or the one that SYSTEMS names. */
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { System } from '../core/channels/system.ts';

export const SYSTEMS_MODULE = fileURLToPath(new URL('../systems/index.ts', import.meta.url));

/** The module that the environment names, as a path. */
export const systemsModule = ({ SYSTEMS }: NodeJS.ProcessEnv): string => (SYSTEMS ? resolve(SYSTEMS) : SYSTEMS_MODULE);

/** The systems of a module: it exports `systems`, a list. */
export async function loadSystems(path: string): Promise<readonly System[]> {
  const { systems } = (await import(pathToFileURL(path).href)) as { systems?: readonly System[] };
  if (!Array.isArray(systems)) throw new Error(`${path} exports no list \`systems\`: see systems/index.ts`);
  return systems;
}

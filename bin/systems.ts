/** Which module lists the systems: `systems/index.ts`, or the one that SYSTEMS names. */
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { System } from '../core/channels/system.ts';

export const SYSTEMS_MODULE = fileURLToPath(new URL('../systems/index.ts', import.meta.url));

/** The module that the environment names, as a path. */
export const systemsModule = ({ SYSTEMS }: NodeJS.ProcessEnv): string => (SYSTEMS ? resolve(SYSTEMS) : SYSTEMS_MODULE);

/** The systems of a module: it exports `systems`, a list. */
export async function loadSystems(path: string): Promise<readonly System[]> {
  const module = (await import(pathToFileURL(path).href).catch((error: Error) => {
    throw new Error(`SYSTEMS: expected the path of a module that exports \`systems\`, such as ./my/systems.ts; ${path}: ${error.message}`);
  })) as { systems?: readonly System[] };
  const { systems } = module;
  if (!Array.isArray(systems)) throw new Error(`SYSTEMS: ${path} exports no list \`systems\`: see systems/index.ts`);
  const bad = systems.findIndex(
    (one: Partial<System> | null) => !one?.name || !Array.isArray(one.channels) || !Array.isArray(one.settings),
  );
  if (bad >= 0) throw new Error(`SYSTEMS: entry ${bad} of \`systems\` in ${path} is no system: make it with \`defineSystem\``);
  return systems;
}

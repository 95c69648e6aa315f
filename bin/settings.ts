/** The settings of the engine and the systems, read from an environment and checked. */
import { clashes } from '../core/channels/clashes.ts';
import type { System } from '../core/channels/system.ts';
import { ENGINE_SETTINGS, engineConflicts } from '../core/engine-settings.ts';
import { ENGINE_ROUTES } from '../core/http/rest.ts';
import type { Settings } from '../core/settings.ts';

/** Reads the settings. Throws one error that names every value that cannot be used, or every name that two systems share. */
export function readSettings(environment: NodeJS.ProcessEnv, systems: readonly System[]): Settings {
  const clashing = clashes(systems, { settings: ENGINE_SETTINGS, routes: ENGINE_ROUTES });
  if (clashing.length > 0) throw new Error(`these systems cannot be deployed together:\n  ${clashing.join('\n  ')}`);
  const read = [...ENGINE_SETTINGS, ...systems.flatMap(({ settings }) => settings)].map(
    ({ name, fallback, check, normal = (given) => given }) => {
      const value = environment[name] || fallback;
      const expected = check(value);
      return {
        name,
        value: expected === null ? normal(value) : value,
        problem: expected === null ? null : `${name}: expected ${expected}, got ${JSON.stringify(value)}`,
      };
    },
  );
  const settings: Settings = Object.fromEntries(read.map(({ name, value }) => [name, value]));
  const problems = [
    ...read.flatMap(({ problem }) => problem ?? []),
    ...systems.flatMap(({ conflicts }) => conflicts?.(settings) ?? []),
    ...engineConflicts(settings),
  ];
  if (problems.length > 0) throw new Error(`these settings cannot be used:\n  ${problems.join('\n  ')}`);
  return settings;
}

/** Names that two systems, or a system and the engine, both use: without a check the first in the list would win silently. */
import type { Setting } from '../settings.ts';
import type { System } from './system.ts';

/** A kind of name, and those of it that a system brings. */
const NAMES: Readonly<Record<string, (system: System) => readonly string[]>> = {
  system: ({ name }) => [name],
  setting: ({ settings }) => settings.map(({ name }) => name),
  channel: ({ channels }) => channels.map(({ name }) => name),
  event: ({ channels }) => channels.flatMap(({ source, events }) => Object.keys(events).map((type) => `${source} ${type}`)),
  route: ({ routes, channels }) => [
    ...routes.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`),
    ...channels.flatMap(({ http }) => (http === null ? [] : [http.stream, http.registrations])),
  ],
  'message type': ({ messages }) => Object.keys(messages),
  worker: ({ workers }) => Object.keys(workers),
  metric: ({ metrics }) => Object.keys(metrics),
};

/** One line for each name that is used twice. */
export function clashes(systems: readonly System[], engineSettings: readonly Setting[]): string[] {
  return Object.entries(NAMES).flatMap(([kind, namesOf]) => {
    const users = new Map<string, string[]>(kind === 'setting' ? engineSettings.map(({ name }) => [name, ['the engine']]) : []);
    for (const system of systems) for (const name of namesOf(system)) users.set(name, [...(users.get(name) ?? []), system.name]);
    return [...users].filter(([, some]) => some.length > 1).map(([name, some]) => `${kind} ${name}: used twice, by ${some.join(' and ')}`);
  });
}

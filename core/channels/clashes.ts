/** Names that two systems, or a system and the engine, both use: without a check the first in the list would win silently. */
import type { Route, System } from './system.ts';

/** A pattern whose parameters have no names. */
const unnamed = (pattern: string): string => pattern.replace(/\{\w+\}/g, '{}');

/** A kind of name, and those of it that a system brings. */
const NAMES: Readonly<Record<string, (system: Named) => readonly string[]>> = {
  system: ({ name }) => [name],
  setting: ({ settings }) => settings.map(({ name }) => name),
  channel: ({ channels }) => channels.map(({ name }) => name),
  topic: ({ channels }) => channels.map(({ topicPattern }) => unnamed(topicPattern)),
  event: ({ channels }) =>
    channels.flatMap(({ source, events, internal }) => (internal ? [] : Object.keys(events).map((type) => `${source} ${type}`))),
  route: ({ routes, channels }) => [
    ...routes.map(({ method, path }) => `${method} ${unnamed(path)}`),
    ...channels.flatMap(({ http }) => (http === null ? [] : [http.stream, http.registrations])),
  ],
  'message type': ({ messages }) => Object.keys(messages),
  worker: ({ workers }) => Object.keys(workers),
  metric: ({ metrics }) => Object.keys(metrics),
  alarm: ({ alarms }) => Object.keys(alarms),
};

type Place = Pick<Route<never>, 'method' | 'path'>;
type Named = Omit<System, 'routes'> & { readonly routes: readonly Place[] };
const NO_NAMES = { name: 'the engine', channels: [], messages: {}, workers: {}, metrics: {}, alarms: {} };

/** One line for each name that is used twice. `engine`: the settings and routes of the engine. */
export function clashes(systems: readonly System[], engine: Pick<System, 'settings'> & { readonly routes: readonly Place[] }): string[] {
  return Object.entries(NAMES).flatMap(([kind, namesOf]) => {
    const users = new Map<string, string[]>();
    const all = [{ ...NO_NAMES, ...engine }, ...systems];
    for (const one of all) for (const name of namesOf(one)) users.set(name, [...(users.get(name) ?? []), one.name]);
    return [...users].filter(([, some]) => some.length > 1).map(([name, some]) => `${kind} ${name}: used twice, by ${some.join(' and ')}`);
  });
}

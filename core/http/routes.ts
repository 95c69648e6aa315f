/** Matches requests with routes. */
import type { Route } from '../channels/system.ts';

/** The parameters of a path; `null` if it is not one of this pattern. A parameter is one whole segment. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const there = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined ? segment !== there : there === '') return null;
    if (name !== undefined) parameters[name] = decode(there);
  }
  return parameters;
}

/** The routes of a path, whatever their method. */
export const routesAt = <RoutePorts>(routes: readonly Route<RoutePorts>[], path: string) =>
  routes.flatMap((route) => {
    const parameters = matchPath(route.path, path);
    return parameters === null ? [] : [{ route, parameters }];
  });

/** A segment that cannot be decoded stands for itself. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    return segment;
  }
}

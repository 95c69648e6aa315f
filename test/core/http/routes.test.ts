import { expect, test } from 'vitest';
import { ok, type Route } from '../../../core/channels/system.ts';
import { matchPath, routesAt } from '../../../core/http/routes.ts';

test.each<[string, string, Record<string, string> | null]>([
  ['/api/health', '/api/health', {}],
  ['/api/health', '/api/health/', null],
  ['/api/health', '/api', null],
  ['/api/health', '/api/Health', null],
  ['/api/health', '', null],
  ['/api/{id}', '/api/a-b_c', { id: 'a-b_c' }],
  ['/api/{id}', '/api/', null],
  ['/api/{id}', '/api/a/b', null],
  ['/api/{id}', '/api/a%2Fb', { id: 'a/b' }],
  ['/api/{id}', '/api/%ED%95%9C', { id: '한' }],
  ['/api/{id}', '/api/%zz', { id: '%zz' }],
  ['/{a}/x/{b}', '/1/x/2', { a: '1', b: '2' }],
  ['/{a}/x/{b}', '/1/y/2', null],
  ['/api/v{n}', '/api/v1', null],
  ['/api/v{n}', '/api/v{n}', {}],
])('the pattern %s and the path %s give %j', (pattern, path, parameters) => {
  expect(matchPath(pattern, path)).toEqual(parameters);
});

test('all routes of a path are found, whatever their method, each with its parameters', () => {
  const route = (method: string, path: string): Route<object> => ({ method, path, serve: async () => ok({}) });
  const routes = [route('GET', '/api/{id}'), route('POST', '/api/x'), route('GET', '/other')];

  expect(routesAt(routes, '/api/x')).toEqual([
    { route: routes[0], parameters: { id: 'x' } },
    { route: routes[1], parameters: {} },
  ]);
  expect(routesAt(routes, '/api/x/y')).toEqual([]);
});

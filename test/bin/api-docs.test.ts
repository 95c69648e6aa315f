/** The API's documents: served as they are committed, whole, and compared so that a change that breaks callers is seen. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiDocuments } from '../../bin/api/documents.ts';
import { ENGINE_ROUTES } from '../../core/http/rest.ts';
import { breaking, narrowed } from '../../scripts/breaking.ts';
import { systems } from '../../systems/index.ts';
import { sharedHost } from '../helpers/host.ts';

type Json = Record<string, unknown>;
const documents = (): Record<string, Json> => structuredClone(apiDocuments(systems)) as Record<string, Json>;
/** The object or list at a path of a document, to be changed. */
const at = (root: unknown, ...path: string[]): Json => path.reduce((one, name) => one[name] as Json, root as Json);
const listAt = (root: unknown, ...path: string[]): unknown[] => at(root, ...path) as unknown as unknown[];
const BODY = ['content', 'application/json', 'schema'];

test.each(['openapi.json', 'asyncapi.json'])('%s is served as it is committed', async (name) => {
  const { status, headers, body } = await sharedHost().get(`/api/${name}`);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^application\/json/);
  expect(body).toEqual(JSON.parse(readFileSync(`docs/api/${name}`, 'utf8')));
});

test('every route has its description', () => {
  const routes = [...ENGINE_ROUTES, ...systems.flatMap((system) => system.routes)];
  expect(routes.filter(({ doc }) => doc === undefined).map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test('no change, and additions, break nobody', () => {
  const { 'openapi.json': before = {} } = documents();
  expect(breaking(before, before)).toEqual([]);
  const { 'openapi.json': after = {} } = documents();
  at(after, 'paths')['/api/new'] = { get: { responses: {} } };
  listAt(after, 'paths', '/api/health', 'get', 'parameters').push({ name: 'more', required: false, schema: { type: 'string' } });
  at(after, 'paths', '/api/health', 'get', 'responses', '200', ...BODY, 'properties')['more'] = { type: 'string' };
  listAt(after, 'paths', '/api/health', 'get', 'responses', '200', ...BODY, 'required').push('more');
  expect(breaking(before, after)).toEqual([]);
});

const REST_CHANGES: Readonly<Record<string, readonly [change: (paths: Json) => unknown, says: string]>> = {
  'a path that is gone': [(paths) => delete paths['/api/health'], 'GET /api/health is gone'],
  'a new required parameter': [
    (paths) => listAt(paths, '/api/health', 'get', 'parameters').push({ name: 'who', required: true, schema: {} }),
    'GET /api/health: who: was optional, is required',
  ],
  'fewer events in a request': [
    (paths) => Object.assign(at(paths, '/internal/events', 'post', 'requestBody', ...BODY, 'properties', 'events'), { maxItems: 100 }),
    'POST /internal/events: the body.events: maxItems was 500, is 100',
  ],
  'a body that may not be left out': [
    (paths) => Object.assign(at(paths, '/api/push/tickets', 'post', 'requestBody'), { required: true }),
    'POST /api/push/tickets: the body: was optional, is required',
  ],
  'a field that the answer does not always have': [
    (paths) => listAt(paths, '/api/health', 'get', 'responses', '200', ...BODY, 'required').pop(),
    'GET /api/health: the answer.topics: was required, is optional',
  ],
  'a key that is needed now': [
    (paths) => Object.assign(at(paths, '/api/health', 'get'), { security: [{ key: [] }] }),
    'GET /api/health: security was none, is {"key":[]}',
  ],
  'another status': [
    (paths) => delete at(paths, '/internal/events', 'post', 'responses')['202'],
    'POST /internal/events: it answers 202 no more',
  ],
};

test.each(Object.entries(REST_CHANGES))('REST breaks by %s', (_, [change, says]) => {
  const { 'openapi.json': before = {} } = documents();
  const { 'openapi.json': after = {} } = documents();
  change(at(after, 'paths'));
  expect(breaking(before, after)).toEqual([says]);
});

test('an answer may not change its type', () => {
  const { 'openapi.json': before = {} } = documents();
  const { 'openapi.json': after = {} } = documents();
  const path = '/api/v1/waiting-queue/subscribe';
  Reflect.deleteProperty(at(after, 'paths', path, 'get', 'responses', '200', 'content'), 'text/event-stream');
  expect(breaking(before, after)).toEqual([`GET ${path}: it answers 200 in text/event-stream no more`]);
});

test('an error code that clients may know is not taken away', () => {
  const { 'openapi.json': before = {} } = documents();
  const { 'openapi.json': after = {} } = documents();
  listAt(before, 'components', 'schemas', 'Error', 'properties', 'error_code', 'enum').pop();
  expect(breaking(before, after)).toEqual([expect.stringMatching(/^Error\.error_code: the list of values was /)]);
});

test('a message to clients may not lack what they had', () => {
  const { 'asyncapi.json': before = {} } = documents();
  const { 'asyncapi.json': after = {} } = documents();
  listAt(after, 'channels', 'socket', 'messages', 'delivered', 'payload', 'required').pop();
  expect(breaking(before, after)).toEqual(['socket delivered.type: was required, is optional']);
});

test('messages break by a message that is gone, and by a field that must be there', () => {
  const { 'asyncapi.json': before = {} } = documents();
  const { 'asyncapi.json': after = {} } = documents();
  delete at(after, 'channels', 'market.price', 'messages')['TradingHalted'];
  listAt(after, 'channels', 'market.price', 'messages', 'DailyClosed', 'payload', 'required').push('name');
  expect(breaking(before, after).sort()).toEqual([
    'market.price DailyClosed.name: was optional, is required',
    'market.price TradingHalted is gone',
  ]);
});

test('a schema narrows by its type, its values, its bounds, its pattern and its fields', () => {
  const lines = (old: Json, now: Json) => narrowed(old, now, 'it');
  expect(lines({ type: 'integer' }, { type: 'number' })).toEqual([]);
  expect(lines({ type: 'number' }, { type: 'integer' })).toEqual(['it: the type was number, is integer']);
  expect(lines({ enum: ['a'] }, { enum: ['a', 'b'] })).toEqual([]);
  expect(lines({ enum: ['a', 'b'] }, { enum: ['a'] })).toEqual(['it: the list of values was a,b, is a']);
  expect(lines({ type: 'string' }, { type: 'string', minLength: 1 })).toEqual(['it: minLength was any, is 1']);
  expect(lines({ type: 'string' }, { type: 'string', pattern: '^a' })).toEqual(['it: the pattern was any, is ^a']);
  expect(lines({ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'string' })).toEqual(['it: the type was null, is string']);
  expect(lines({ type: 'string' }, { anyOf: [{ type: 'string' }, { type: 'null' }] })).toEqual([]);
  expect(lines({ type: 'array', items: { type: 'string' } }, { type: 'array', items: { type: 'integer' } })).toHaveLength(1);
  expect(lines({ type: 'object' }, { type: 'object', additionalProperties: false })).toEqual([
    'it: any other field was allowed, is refused',
  ]);
});

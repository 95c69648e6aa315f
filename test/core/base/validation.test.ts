import * as v from 'valibot';
import { expect, test, vi } from 'vitest';
import { explain, instant, jsonObject, mapOf, numbers, optional, parseJson } from '../../../core/base/validation.ts';
import { PushError } from '../../../core/errors.ts';

const schema = v.object({
  name: v.string(),
  seats: v.array(v.object({ id: v.pipe(v.number(), v.minValue(1, 'expected 1 or more')) })),
});
function explained(value: unknown, details?: Record<string, unknown>): PushError {
  const { issues } = v.safeParse(schema, value);
  return explain(issues ?? [], 'detail', details);
}
function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

test('an error names the path of the first issue, and what is wrong there', () => {
  const error = explained({ name: 'a', seats: [{ id: 1 }, { id: 0 }] });

  expect(error).toBeInstanceOf(PushError);
  expect(error.code).toBe('INVALID_MESSAGE_FORMAT');
  expect(error.message).toBe('detail.seats.1.id: expected 1 or more');
  expect(error.details).toEqual({ issues: [{ path: 'seats.1.id', expected: '>=1', received: '0', message: 'expected 1 or more' }] });
});

test('a field that is not there is missing', () => {
  const error = explained({ seats: [] });

  expect(error.message).toBe('detail.name: is missing');
  expect(error.details['issues']).toMatchObject([{ path: 'name', message: 'is missing', received: 'undefined' }]);
});

test('an error about the whole names no path', () => {
  const error = explained(7);

  expect(error.message).toMatch(/^detail: Invalid type/);
  expect(error.details['issues']).toMatchObject([{ path: '', expected: 'Object', received: '7' }]);
});

test('ten issues are listed, and each quotes no more than 100 characters', () => {
  const long = 'x'.repeat(300);
  const error = explained({ name: 'a', seats: Array.from({ length: 12 }, () => ({ id: long })) });

  const issues = error.details['issues'] as { received: string; message: string }[];
  expect(issues).toHaveLength(10);
  expect(issues.map(({ received }) => received.length)).toEqual(Array(10).fill(100));
  expect(issues.map(({ message }) => message.length)).toEqual(Array(10).fill(200));
});

test('the details that the caller adds stand beside the issues', () => {
  expect(explained({}, { expected_fields: ['type'] }).details).toMatchObject({ expected_fields: ['type'], issues: [{}, {}] });
});

test('a check that expects no certain type is quoted with its own words', () => {
  const { issues } = v.safeParse(instant, 'yesterday');

  expect(explain(issues ?? [], 'time').details['issues']).toEqual([
    {
      path: '',
      expected: 'expected ISO 8601 with a zone, such as 2026-02-06T22:48:44.590151+00:00',
      received: '"yesterday"',
      message: 'expected ISO 8601 with a zone, such as 2026-02-06T22:48:44.590151+00:00',
    },
  ]);
});

test('an error without issues still says where', () => {
  expect(explain([], 'body').message).toBe('body: invalid');
});

test('JSON is parsed', () => {
  expect(parseJson('{"a":[1,null]}')).toEqual({ a: [1, null] });
});

test('a text that is no JSON is refused, and its beginning is quoted', () => {
  const error = thrownBy(() => parseJson(`{${'x'.repeat(500)}`));

  expect(error).toMatchObject({
    code: 'INVALID_MESSAGE_FORMAT',
    message: 'expected JSON',
    details: { received_message: `{${'x'.repeat(199)}` },
  });
});

test('JSON nested a hundred thousand levels deep is read, and cut off there it is refused like any text that is no JSON', () => {
  const deep = '['.repeat(100_000);

  expect(parseJson(deep + ']'.repeat(100_000))).toBeInstanceOf(Array);
  expect(thrownBy(() => parseJson(deep))).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT', message: 'expected JSON' });
});

test.each([[[]], ['text'], [null], [7]])('%j is no JSON object', (value) => {
  expect(v.is(jsonObject, value)).toBe(false);
});

test('a failure of the parser that is not about the text is thrown as it is', () => {
  const failure = new TypeError('a bug');
  vi.spyOn(JSON, 'parse').mockImplementationOnce(() => {
    throw failure;
  });

  expect(thrownBy(() => parseJson('{}'))).toBe(failure);
});

test.each([
  ['2026-02-06T22:48:44.590151+00:00', true],
  ['2026-02-06T22:48:44', false],
  ['2026-02-30T22:48:44Z', false],
  [1_770_418_124_590, false],
])('an instant is ISO 8601 with a zone: %j → %s', (value, accepted) => {
  expect(v.safeParse(instant, value).success).toBe(accepted);
});

test.each([
  ['a half character in a text', '"\\ud83d"', '\ufffd'],
  ['in a name', '{"\\udc00":1}', { '\ufffd': 1 }],
  ['deep inside', '[{"a":["x\\ud83dy"]}]', [{ a: ['x\ufffdy'] }]],
  ['a whole character', '"\\ud83d\\ude00"', '😀'],
  ['a byte order mark', '\ufeff[1]', [1]],
])('%s: JSON is read well-formed', (_, json, expected) => {
  expect(parseJson(json)).toEqual(expected);
});

test('JSON with a half character that is nested too deeply is refused, not a crash', () => {
  expect(thrownBy(() => parseJson(`${'['.repeat(100_000)}"\\ud83d"${']'.repeat(100_000)}`))).toMatchObject({
    code: 'INVALID_MESSAGE_FORMAT',
  });
});

test('an optional field may be left out or null, and has its fallback then', () => {
  const fields = v.object({ a: optional(v.string()), b: optional(v.number(), 7) });

  for (const value of [{}, { a: null, b: null }, { a: undefined }]) {
    const { success, output } = v.safeParse(fields, value);
    expect(success).toBe(true);
    expect(JSON.stringify(output)).toBe('{"b":7}');
  }
  expect(v.parse(fields, { a: 'x', b: 0 })).toEqual({ a: 'x', b: 0 });
  expect(v.safeParse(fields, { a: 1 }).success).toBe(false);
});

test('a map keeps names that objects have of their own, and says which value is wrong', () => {
  const map = mapOf(v.array(v.number()));

  expect(v.parse(map, JSON.parse('{"__proto__":[1],"constructor":[2]}'))).toEqual(
    new Map([
      ['__proto__', [1]],
      ['constructor', [2]],
    ]),
  );
  const { issues } = v.safeParse(map, { a: [1], b: [1, 'x'] });
  expect(issues?.map((issue) => v.getDotPath(issue))).toEqual(['b.1']);
  expect(v.safeParse(map, []).success).toBe(false);
});

test.each([
  ['finite', 1e308, null],
  ['finite', Number.POSITIVE_INFINITY, 'a.0.b'],
  ['finite', 2 ** 60, null],
  ['exact', 2 ** 53, 'a.0.b'],
  ['exact', -(2 ** 53), 'a.0.b'],
  ['exact', 2 ** 53 - 1, null],
  ['exact', 0.1, null],
] as const)('%s numbers: %d is wrong at %s', (range, number, path) => {
  const { issues } = v.safeParse(v.pipe(v.any(), numbers(range)), { a: [{ b: number, c: 'x' }], d: null });

  expect(issues ? issues.map((issue) => v.getDotPath(issue)) : null).toEqual(path === null ? null : [path]);
});

test('numbers are checked without recursion', () => {
  let deep: unknown = Number.NaN;
  for (let depth = 0; depth < 50_000; depth++) deep = [deep];

  expect(v.safeParse(v.pipe(v.any(), numbers('finite')), deep).success).toBe(false);
});

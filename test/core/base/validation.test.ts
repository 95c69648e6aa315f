import * as v from 'valibot';
import { expect, test, vi } from 'vitest';
import { explain, instant, jsonObject, parseJson } from '../../../core/base/validation.ts';
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

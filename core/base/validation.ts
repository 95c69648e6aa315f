/** Text and JSON from outside, checked: each failure is a PushError that says where, what was expected and what came. */
import type { BaseIssue } from 'valibot';
import * as v from 'valibot';
import { PushError } from '../errors.ts';
import { cut } from './text.ts';
import { parseMicros } from './time.ts';

/** Makes one error of a schema's issues. */
export function explain(issues: readonly BaseIssue<unknown>[], what: string, details: Record<string, unknown> = {}): PushError {
  const found = issues.slice(0, 10).map((issue) => ({
    path: v.getDotPath(issue) ?? '',
    expected: issue.expected ?? issue.message,
    received: cut(issue.received, 100),
    message: issue.received === 'undefined' ? 'is missing' : cut(issue.message, 200),
  }));
  const [first] = found;
  const where = first?.path ? `${what}.${first.path}` : what;
  return new PushError('INVALID_MESSAGE_FORMAT', `${where}: ${first?.message ?? 'invalid'}`, { issues: found, ...details });
}

/** A JSON escape of half a character: JSON may hold one, UTF-8 may not. */
const HALF = /\\u[dD][89a-fA-F]/;

/** JSON, or a PushError. A byte order mark before it is skipped, and a half character becomes U+FFFD. */
export function parseJson(text: string): unknown {
  try {
    const json = text.startsWith('\ufeff') ? text.slice(1) : text;
    return HALF.test(json) ? JSON.parse(json, wellFormed) : JSON.parse(json);
  } catch (cause) {
    if (cause instanceof RangeError) throw new PushError('INVALID_MESSAGE_FORMAT', 'nested too deeply');
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PushError('INVALID_MESSAGE_FORMAT', 'expected JSON', { received_message: cut(text, 200) });
  }
}

/** Reviver: texts and names without half characters. */
function wellFormed(_: string, value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.keys(value).every((name) => name.isWellFormed())
    ? value
    : Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toWellFormed(), one]));
}

/** A JSON object: no array, and not `null`. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Schema of a JSON object, whatever it holds. `v.record` would take arrays, and drop names such as `constructor`. */
export const jsonObject = v.custom<Record<string, unknown>>(isObject, 'expected a JSON object');

/** Schema of a JSON object whose values are all alike, as a map: of names that clients choose, none is dropped. */
export const mapOf = <Value>(values: v.GenericSchema<unknown, Value>) =>
  v.pipe(
    jsonObject,
    v.rawTransform(({ dataset: { value: input }, addIssue, NEVER }) => {
      const map = new Map<string, Value>();
      for (const [key, value] of Object.entries(input)) {
        const { success, output, issues } = v.safeParse(values, value);
        if (success) map.set(key, output);
        else
          addIssue({
            message: issues[0].message,
            path: [{ type: 'object', origin: 'value', input, key, value }, ...(issues[0].path ?? [])],
          });
      }
      return map.size === Object.keys(input).length ? map : NEVER;
    }),
  );

/**
 * Schema of a field that may be left out: `null` counts as left out, for many languages write it so.
 * @param fallback its value then
 */
export function optional<const Schema extends v.GenericSchema>(schema: Schema): v.OptionalSchema<Schema, undefined>;
export function optional<const Schema extends v.GenericSchema, const Fallback extends v.InferInput<Schema>>(
  schema: Schema,
  fallback: Fallback,
): v.OptionalSchema<Schema, Fallback>;
export function optional(schema: v.GenericSchema, fallback?: unknown) {
  return v.pipe(
    v.nullish(schema, fallback),
    v.transform((value) => value ?? undefined),
  ) as unknown as v.OptionalSchema<v.GenericSchema, unknown>;
}

type Range = 'finite' | 'exact';

/**
 * Check of every number in a value, however deep: finite, for JSON has no other; and with `exact`, no whole number that a
 * double would round. Long ids travel as text.
 */
export const numbers = <Value>(range: Range) =>
  v.rawCheck<Value>(({ dataset, addIssue }) => {
    for (const place of numbersIn(dataset.value)) {
      const { value } = place;
      const message = !Number.isFinite(value) ? 'expected a finite number' : range === 'exact' && isRounded(value) ? TOO_LONG : null;
      if (message !== null) addIssue({ message, received: String(value), path: pathTo(place) });
    }
  });

const TOO_LONG = 'expected no whole number beyond 2^53 - 1: send a long id as text';
const isRounded = (value: number): boolean => Number.isInteger(value) && !Number.isSafeInteger(value);

/** A value and where it stands: in `above`, under `key`. */
interface Place<Value = unknown> {
  readonly value: Value;
  readonly key: string | number;
  readonly above: Place | null;
}

/** Without recursion, and without a path for each: a hostile value may be nested deeper than the stack is. */
function* numbersIn(root: unknown): Generator<Place<number>> {
  const open: Place[] = [{ value: root, key: '', above: null }];
  for (let place = open.pop(); place; place = open.pop()) {
    const { value } = place;
    if (typeof value === 'number') yield place as Place<number>;
    if (typeof value !== 'object' || value === null) continue;
    // the place of an entry in a list is a number, as in the schemas' own paths
    for (const [key, one] of Object.entries(value))
      if (typeof one === 'number' || (typeof one === 'object' && one !== null))
        open.push({ value: one, key: Array.isArray(value) ? Number(key) : key, above: place });
  }
}

function pathTo(place: Place): [v.IssuePathItem, ...v.IssuePathItem[]] | undefined {
  const path: v.IssuePathItem[] = [];
  for (let one = place; one.above; one = one.above)
    path.unshift({ type: 'unknown', origin: 'value', input: one.above.value, key: one.key, value: one.value });
  return path.length > 0 ? (path as [v.IssuePathItem]) : undefined;
}

/** Schema of an instant in an event's detail. */
export const instant = v.pipe(
  v.string(),
  v.check((text) => parseMicros(text) !== null, 'expected ISO 8601 with a zone, such as 2026-02-06T22:48:44.590151+00:00'),
);

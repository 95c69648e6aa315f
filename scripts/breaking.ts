/** What a new version of the API's documents takes from callers that were written for the old one. */

type Json = Readonly<Record<string, unknown>>;
type Schema = Json;

const objectOf = (value: unknown): Json => (value ?? {}) as Json;
const listOf = (value: unknown): readonly unknown[] => (value ?? []) as readonly unknown[];

/** A line for each thing that breaks: what goes in may not become narrower, nor what comes out wider. Both documents are OpenAPI, or both AsyncAPI. */
export const breaking = (before: Json, after: Json): string[] =>
  'openapi' in before ? breakingRest(before, after) : breakingMessages(before, after);

function breakingRest(before: Json, after: Json): string[] {
  return Object.entries(objectOf(before['paths'])).flatMap(([path, operations]) =>
    Object.entries(objectOf(operations)).flatMap(([method, old]) => {
      const name = `${method.toUpperCase()} ${path}`;
      const now = objectOf(objectOf(after['paths'])[path])[method];
      return now === undefined ? [`${name} is gone`] : breakingOperation(name, objectOf(old), objectOf(now));
    }),
  );
}

interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
}

function breakingOperation(name: string, old: Json, now: Json): string[] {
  const known = new Map((listOf(old['parameters']) as Parameter[]).map((one) => [one.name, one]));
  const parameters = (listOf(now['parameters']) as Parameter[]).flatMap((one) => {
    const before = known.get(one.name);
    const required = one.required && before?.required !== true ? [`${name}: ${one.name}: was optional, is required`] : [];
    return [...required, ...(before ? narrowed(before.schema, one.schema, `${name}: ${one.name}`) : [])];
  });
  const [oldBody, body] = [objectOf(old['requestBody']), objectOf(now['requestBody'])];
  const bodyRequired = body['required'] === true && oldBody['required'] !== true ? [`${name}: the body: was optional, is required`] : [];
  const [oldAnswers, answers] = [objectOf(old['responses']), objectOf(now['responses'])];
  const responses = Object.keys(oldAnswers)
    .filter((status) => status.startsWith('2'))
    .flatMap((status) =>
      // what comes out may become more exact, where what goes in may not
      answers[status] === undefined
        ? [`${name}: it answers ${status} no more`]
        : narrowed(contentOf(answers[status]), contentOf(oldAnswers[status]), `${name}: the answer`, backwards),
    );
  return [...parameters, ...bodyRequired, ...narrowed(contentOf(oldBody), contentOf(body), `${name}: the body`), ...responses];
}

const contentOf = (holder: unknown): Schema => objectOf(objectOf(objectOf(objectOf(holder)['content'])['application/json'])['schema']);

function breakingMessages(before: Json, after: Json): string[] {
  return Object.entries(objectOf(before['channels'])).flatMap(([channel, old]) =>
    Object.entries(objectOf(objectOf(old)['messages'])).flatMap(([message, form]) => {
      const name = `${channel} ${message}`;
      const now = objectOf(objectOf(objectOf(after['channels'])[channel])['messages'])[message];
      return now === undefined
        ? [`${name} is gone`]
        : narrowed(objectOf(objectOf(form)['payload']), objectOf(objectOf(now)['payload']), name);
    }),
  );
}

/** How a line names the difference, of what the old version had and what the new one has. */
type Change = (old: unknown, now: unknown) => string;
const forwards: Change = (old, now) => `was ${String(old)}, is ${String(now)}`;
/** Of what comes out: there the old version may not take less than the new. */
const backwards: Change = (old, now) => forwards(now, old);

/** What `old` takes and `now` does not, a line each. */
export function narrowed(old: Schema, now: Schema, where: string, change = forwards): string[] {
  if (Object.keys(now).length === 0) return [];
  const branches = alternatives(now);
  const refused = alternatives(old).map((one) => branches.map((branch) => narrowedOne(one, branch, where, change)));
  // of several alternatives, one that takes it is enough; if none does, the nearest tells why
  return refused.flatMap((tried) => tried.reduce((least, lines) => (lines.length < least.length ? lines : least)));
}

const alternatives = (schema: Schema): Schema[] =>
  schema['anyOf'] === undefined ? [schema] : (listOf(schema['anyOf']) as Schema[]).flatMap(alternatives);

const LOWER = ['minimum', 'minLength', 'minItems'];
const UPPER = ['maximum', 'maxLength', 'maxItems'];

function narrowedOne(old: Schema, now: Schema, where: string, change: Change): string[] {
  const lines = narrowedValue(old, now).map(([name, before, after]) => `${where}: ${name} ${change(before ?? 'any', after)}`);
  const required = new Set(listOf(old['required']));
  for (const name of listOf(now['required']))
    if (!required.has(name)) lines.push(`${where}.${String(name)}: ${change('optional', 'required')}`);
  const known = objectOf(old['properties']);
  for (const [name, schema] of Object.entries(objectOf(now['properties'])))
    if (known[name] !== undefined) lines.push(...narrowed(objectOf(known[name]), objectOf(schema), `${where}.${name}`, change));
  if (now['items'] !== undefined) lines.push(...narrowed(objectOf(old['items']), objectOf(now['items']), `${where}[]`, change));
  if (now['additionalProperties'] === false && old['additionalProperties'] !== false)
    lines.push(`${where}: any other field ${change('allowed', 'refused')}`);
  else if (now['additionalProperties'] !== undefined)
    lines.push(...narrowed(objectOf(old['additionalProperties']), objectOf(now['additionalProperties']), `${where}.*`, change));
  return lines;
}

/** The keywords about a value itself that refuse some that the old ones took: name, old, new. */
function narrowedValue(old: Schema, now: Schema): [name: string, old: unknown, now: unknown][] {
  const [oldValues, values] = [valuesOf(old), valuesOf(now)];
  const number = (schema: Schema, name: string, unset: number) => Number(schema[name] ?? unset);
  const widerType = old['type'] === now['type'] || (old['type'] === 'integer' && now['type'] === 'number');
  return [
    ...(values !== null && !oldValues?.every((one) => values.includes(one)) ? [['the list of values', oldValues, values] as const] : []),
    ...(oldValues === null && now['type'] !== undefined && !widerType ? [['the type', old['type'], now['type']] as const] : []),
    ...(now['pattern'] !== undefined && now['pattern'] !== old['pattern']
      ? [['the pattern', old['pattern'], now['pattern']] as const]
      : []),
    ...LOWER.filter((name) => number(now, name, Number.NEGATIVE_INFINITY) > number(old, name, Number.NEGATIVE_INFINITY)).map(
      (name) => [name, old[name], now[name]] as const,
    ),
    ...UPPER.filter((name) => number(now, name, Number.POSITIVE_INFINITY) < number(old, name, Number.POSITIVE_INFINITY)).map(
      (name) => [name, old[name], now[name]] as const,
    ),
  ].map(([name, before, after]) => [name, before, after]);
}

/** The only values that a schema takes; `null` = it names none. */
const valuesOf = (schema: Schema): readonly unknown[] | null =>
  'const' in schema ? [schema['const']] : 'enum' in schema ? listOf(schema['enum']) : null;

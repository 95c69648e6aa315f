/** Differences between two versions of the API's documents that break callers of the older one. */

type Json = Readonly<Record<string, unknown>>;
type Schema = Json;

const objectOf = (value: unknown): Json => (value ?? {}) as Json;
const listOf = (value: unknown): readonly unknown[] => (value ?? []) as readonly unknown[];

/** A line for each thing that breaks: what goes in may not become narrower, nor what comes out wider. Both documents are OpenAPI, or both AsyncAPI. */
export const breaking = (before: Json, after: Json): string[] =>
  'openapi' in before ? breakingRest(before, after) : breakingMessages(before, after);

function breakingRest(before: Json, after: Json): string[] {
  const schemasOf = (document: Json): Json => objectOf(objectOf(document['components'])['schemas']);
  const answers = Object.entries(schemasOf(before)).flatMap(([name, old]) =>
    narrowed(objectOf(schemasOf(after)[name]), objectOf(old), name, backwards),
  );
  const operations = Object.entries(objectOf(before['paths'])).flatMap(([path, operations]) =>
    Object.entries(objectOf(operations)).flatMap(([method, old]) => {
      const name = `${method.toUpperCase()} ${path}`;
      const now = objectOf(objectOf(after['paths'])[path])[method];
      return now === undefined ? [`${name} is gone`] : breakingOperation(name, objectOf(old), objectOf(now));
    }),
  );
  return [...operations, ...answers];
}

/** The ways to prove who one is; none = there is no need. */
function breakingSecurity(name: string, old: Json, now: Json): string[] {
  const waysOf = (operation: Json): string[] => listOf(operation['security']).map((one) => JSON.stringify(one));
  const [before, after] = [waysOf(old), waysOf(now)];
  const isOpen = (ways: readonly string[]): boolean => ways.length === 0 || ways.includes('{}');
  const lost = isOpen(before) ? !isOpen(after) : !isOpen(after) && before.some((way) => !after.includes(way));
  return lost ? [`${name}: security ${forwards(before.join(' or ') || 'none', after.join(' or '))}`] : [];
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
        : [
            ...typesOf(oldAnswers[status])
              .filter((type) => !typesOf(answers[status]).includes(type))
              .map((type) => `${name}: it answers ${status} in ${type} no more`),
            ...narrowed(contentOf(answers[status]), contentOf(oldAnswers[status]), `${name}: the answer`, backwards),
          ],
    );
  return [
    ...breakingSecurity(name, old, now),
    ...parameters,
    ...bodyRequired,
    ...narrowed(contentOf(oldBody), contentOf(body), `${name}: the body`),
    ...responses,
  ];
}

const typesOf = (answer: unknown): string[] => Object.keys(objectOf(objectOf(answer)['content']));

const contentOf = (holder: unknown): Schema => objectOf(objectOf(objectOf(objectOf(holder)['content'])['application/json'])['schema']);

function breakingMessages(before: Json, after: Json): string[] {
  // an operation says which way its messages go
  const sent = new Set(
    Object.values(objectOf(before['operations']))
      .map(objectOf)
      .filter(({ action }) => action === 'send')
      .flatMap(({ messages }) => listOf(messages).map((one) => objectOf(one)['$ref'])),
  );
  return Object.entries(objectOf(before['channels'])).flatMap(([channel, old]) =>
    Object.entries(objectOf(objectOf(old)['messages'])).flatMap(([message, form]) => {
      const name = `${channel} ${message}`;
      const now = objectOf(objectOf(objectOf(after['channels'])[channel])['messages'])[message];
      if (now === undefined) return [`${name} is gone`];
      const [older, newer] = [objectOf(objectOf(form)['payload']), objectOf(objectOf(now)['payload'])];
      const isSent = sent.has(`#/channels/${channel}/messages/${message}`);
      return isSent ? narrowed(newer, older, name, backwards) : narrowed(older, newer, name);
    }),
  );
}

/** The words of a difference: the old version's keyword, and the new one's. */
type Change = (old: unknown, now: unknown) => string;
const forwards: Change = (old, now) => `was ${String(old)}, is ${String(now)}`;
/** Of what comes out: there the old version may not take less than the new. */
const backwards: Change = (old, now) => forwards(now, old);

/** A line for each value or field that `old` accepts and `now` does not. */
export function narrowed(old: Schema, now: Schema, where: string, change = forwards): string[] {
  if (Object.keys(now).length === 0) return [];
  const branches = alternatives(now);
  const refused = alternatives(old).map((one) => branches.map((branch) => narrowedOne(one, branch, where, change)));
  // of several alternatives, one that takes it is enough; if none does, the nearest tells why
  return refused.flatMap((tried) => tried.reduce((least, lines) => (lines.length < least.length ? lines : least)));
}

const alternatives = (schema: Schema): Schema[] =>
  schema['anyOf'] === undefined ? [schema] : (listOf(schema['anyOf']) as Schema[]).flatMap(alternatives);

/** Other keywords would be compared by nobody. */
const KEYWORDS = new Set(
  'type properties required items anyOf const enum pattern format additionalProperties propertyNames minimum maximum minLength maxLength minItems maxItems description title default examples contentMediaType'.split(
    ' ',
  ),
);

function checkKeywords(schema: Schema): void {
  const unknown = Object.keys(schema).filter((name) => !KEYWORDS.has(name));
  if (unknown.length > 0) throw new Error(`schemas with ${unknown.join(', ')} are not compared: add it to scripts/breaking.ts`);
}

const LOWER = ['minimum', 'minLength', 'minItems'];
const UPPER = ['maximum', 'maxLength', 'maxItems'];

function narrowedOne(old: Schema, now: Schema, where: string, change: Change): string[] {
  checkKeywords(old);
  checkKeywords(now);
  const lines = narrowedValue(old, now).map(([name, before, after]) => `${where}: ${name} ${change(before ?? 'any', after)}`);
  const required = new Set(listOf(old['required']));
  for (const name of listOf(now['required']))
    if (!required.has(name)) lines.push(`${where}.${String(name)}: ${change('optional', 'required')}`);
  const known = objectOf(old['properties']);
  for (const [name, schema] of Object.entries(objectOf(now['properties'])))
    if (known[name] !== undefined) lines.push(...narrowed(objectOf(known[name]), objectOf(schema), `${where}.${name}`, change));
  for (const [keyword, suffix] of [
    ['items', '[]'],
    ['propertyNames', ' (names)'],
  ] as const)
    if (now[keyword] !== undefined) lines.push(...narrowed(objectOf(old[keyword]), objectOf(now[keyword]), `${where}${suffix}`, change));
  if (now['additionalProperties'] === false) {
    if (old['additionalProperties'] !== false) lines.push(`${where}: any other field ${change('allowed', 'refused')}`);
    for (const name of Object.keys(known))
      if (!(name in objectOf(now['properties']))) lines.push(`${where}.${name}: ${change('known', 'refused')}`);
  } else if (now['additionalProperties'] !== undefined)
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
    ...['pattern', 'format']
      .filter((name) => now[name] !== undefined && now[name] !== old[name])
      .map((name) => [`the ${name}`, old[name], now[name]] as const),
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

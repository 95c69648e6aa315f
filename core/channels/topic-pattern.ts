/** A topic's pattern, such as `/topic/orders/{orderId}/{userId}`: makes topics, reads them, and shows how they look. */
import { quote } from '../base/text.ts';
import { PushError } from '../errors.ts';

/** A topic's parameters, by name. */
export type Values = Readonly<Record<string, string | number>>;

/** The form of one parameter of a topic. */
export interface Parameter<Value extends string | number = string | number> {
  /** Source of a regular expression without groups. */
  readonly pattern: string;
  readonly expected: string;
  /** Reads a JSON value; `null` if it is no such parameter. */
  read(value: unknown): Value | null;
  /** Reads a text, of a query or a topic; `null` if it is no such parameter. */
  parse(text: string): Value | null;
}

/** A whole number from 0 up, with no more digits than a safe integer has. */
export const NUMBER: Parameter<number> = {
  pattern: '(?:0|[1-9]\\d{0,15})',
  expected: 'a whole number from 0 up',
  read: (value) => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null),
  parse: (text) => (/^\d{1,16}$/.test(text) ? NUMBER.read(Number(text)) : null),
};

/** A text that matches `pattern`. */
export function text(pattern: string, expected: string): Parameter<string> {
  const whole = new RegExp(`^(?:${pattern})$`);
  const read = (value: unknown): string | null => (typeof value === 'string' && whole.test(value) ? value : null);
  return { pattern, expected, read, parse: read };
}

/** Letters, digits, `_`, `.` and `-`: for any parameter that is not described. */
export const WORD = text('[A-Za-z0-9_.-]{1,64}', 'letters, digits, _ . -');

type NamesIn<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

/** The parameters that a pattern names: numbers and texts as `Given` describes them, texts otherwise. */
export type ValuesOf<Pattern extends string, Given> = {
  readonly [Name in NamesIn<Pattern>]: Name extends keyof Given ? (Given[Name] extends Parameter<infer Value> ? Value : string) : string;
};

export interface TopicPattern {
  readonly names: readonly string[];
  /** The form of each parameter, by name. */
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The pattern, and what its parameters must be. */
  readonly hint: string;
  topicOf(values: Values): string;
  matches(topic: string): boolean;
  /** The topic's parameters; `null` if it is no topic of this pattern. */
  match(topic: string): Values | null;
  /** The topic's parameters as a query. */
  query(topic: string): string;
  /** Reads the topic that a request names. Throws a PushError that names the first parameter that is wrong. */
  read(given: Given): { readonly topic: string; readonly values: Values };
}

/** A request's way to give a topic's parameters: texts in its query, or values in its body. */
export type Given = { readonly query: Readonly<Record<string, string | undefined>> } | { readonly body: Readonly<Record<string, unknown>> };

/** `order`: in which a request's parameters are checked. @default as in the pattern */
export function topicPattern(
  pattern: string,
  described: Readonly<Record<string, Parameter>> = {},
  order?: readonly string[],
): TopicPattern {
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const parameterOf = (name: string): Parameter => described[name] ?? WORD;
  const literal = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const source = pattern
    .split(/(\{\w+\})/)
    .map((part) => (/^\{\w+\}$/.test(part) ? `(${parameterOf(part.slice(1, -1)).pattern})` : literal(part)))
    .join('');
  const expression = new RegExp(`^${source}$`);
  const unusual = names.filter((name) => described[name] && described[name] !== NUMBER);
  const topicOf = (values: Values): string => pattern.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
  const match = (topic: string): Values | null => {
    const found = expression.exec(topic);
    if (!found) return null;
    const values: Record<string, string | number> = {};
    for (const [index, name] of names.entries()) {
      const value = parameterOf(name).parse(found[index + 1] ?? '');
      if (value === null) return null;
      values[name] = value;
    }
    return values;
  };
  return {
    names,
    parameters: Object.fromEntries((order ?? names).map((name) => [name, parameterOf(name)])),
    topicOf,
    hint: [pattern, ...unusual.map((name) => `the ${name} ${parameterOf(name).expected}`)].join(', '),
    match,
    matches: (topic) => match(topic) !== null,
    query: (topic) =>
      Object.entries(match(topic) ?? {})
        .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
        .join('&'),
    read(given) {
      const values: Values = Object.fromEntries((order ?? names).map((name) => [name, readOne(name, given, parameterOf(name))]));
      return { topic: topicOf(values), values };
    },
  };
}

function readOne(name: string, given: Given, { expected, read, parse }: Parameter): string | number {
  const there = 'query' in given ? given.query[name] : given.body[name];
  const value = 'query' in given ? parse(String(there ?? '')) : read(there);
  if (value !== null) return value;
  const received = quote(there, 100);
  throw new PushError('INVALID_MESSAGE_FORMAT', `${name}: expected ${expected}, got ${received}`, { parameter: name });
}

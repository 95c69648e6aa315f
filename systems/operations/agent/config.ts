/** The agent's config file: three lines are enough, and everything wrong with it is said at once. */
import * as v from 'valibot';
import { isObject, optional } from '../../../core/base/validation.ts';

const text = v.pipe(v.string(), v.minLength(1, 'expected a text'));
const address = (shape: RegExp, expected: string) =>
  v.pipe(
    text,
    v.regex(shape, expected),
    v.check((url) => URL.canParse(url), 'expected an address'),
  );
const percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100));

const service = v.pipe(
  v.strictObject({
    /** For people. @default its id */
    name: optional(text),
    /** The program and its arguments. */
    command: optional(v.pipe(v.array(text), v.minLength(1, 'expected a program'))),
    /** Instead of a command: a unit of systemd. */
    unit: optional(v.pipe(text, v.regex(/^[\w@:.\\-]+$/, 'expected the name of a unit, such as news.service'))),
    folder: optional(text),
    environment: optional(v.custom<Readonly<Record<string, string>>>(isTexts, 'expected texts by name'), {}),
    /** Told with its events. */
    port: optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
    /** Time to end by itself before it is killed, in seconds. */
    grace: optional(v.pipe(v.number(), v.minValue(0), v.maxValue(300)), 10),
  }),
  v.check(({ command, unit }) => (command == null) !== (unit == null), 'expected a command or a unit, and not both'),
);

const config = v.strictObject({
  /** Its name, as its key has it. */
  agent: v.pipe(text, v.regex(/^[\w.-]{1,64}$/, 'expected letters, digits, _ . -')),
  url: address(/^https?:\/\//, 'expected http:// or https://'),
  /** Address of the WebSocket API, where the deployment has no front door. @default the url */
  socket: optional(address(/^(https?|wss?):\/\//, 'expected wss:// or ws://')),
  key: text,
  /** Paths of log files. */
  logs: optional(v.array(text), []),
  services: optional(v.custom<Readonly<Record<string, unknown>>>(isObject, 'expected services by id'), {}),
  /** A figure is published this often, in seconds. */
  every: optional(v.pipe(v.number(), v.minValue(1), v.maxValue(3_600)), 5),
  /** Per cent at which an alert is raised, and how long a figure must stand there, in seconds. */
  thresholds: optional(
    v.strictObject({
      cpu: optional(percent, 90),
      memory: optional(percent, 90),
      disk: optional(percent, 90),
      for: optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400)), 60),
    }),
    {},
  ),
  /** Folder for what must outlive a restart. @default beside the config file */
  state: optional(text),
  /** Unsent lines wait on disk up to this, in megabytes. */
  spool: optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100_000)), 64),
});

export type ServiceConfig = v.InferOutput<typeof service>;
export type Config = Omit<v.InferOutput<typeof config>, 'services'> & { readonly services: ReadonlyMap<string, ServiceConfig> };

/** Reads a config. Throws an error that lists everything that is wrong, a line each. */
export function readConfig(json: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`expected JSON: ${(error as Error).message}`);
  }
  const read = v.safeParse(config, value);
  const problems = read.success ? [] : linesOf(read.issues, '');
  const services = new Map<string, ServiceConfig>();
  const given = isObject(value) && isObject(value['services']) ? value['services'] : {};
  for (const [id, one] of Object.entries(given)) {
    const parsed = v.safeParse(service, one);
    if (parsed.success) services.set(id, parsed.output);
    else problems.push(...linesOf(parsed.issues, `services.${id}`));
  }
  if (!read.success || problems.length > 0) throw new Error(problems.join('\n'));
  return { ...read.output, services };
}

const linesOf = (issues: readonly v.BaseIssue<unknown>[], under: string): string[] =>
  issues.map((issue) => {
    const path = [under, v.getDotPath(issue) ?? ''].filter((part) => part !== '').join('.');
    const isKey = issue.kind === 'schema' && issue.type === 'strict_object';
    const what = !isKey ? issue.message : issue.expected === 'never' ? 'there is no such field' : 'it is missing';
    return path === '' ? what : `${path}: ${what}`;
  });

function isTexts(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((one) => typeof one === 'string');
}

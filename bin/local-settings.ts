/** Settings of `npm start` alone: each an environment variable, and an option of the command line that wins over it. */
import { SETTING } from '../core/names.ts';
import { commandLine } from './command-line.ts';

/** Defaults of a deployment on one's own machine: every transport is on, there is one address, and every caller may act. */
export const OPEN_DEFAULTS: Readonly<Record<string, string>> = {
  [SETTING.pushMode]: 'both',
  [SETTING.anonymousControl]: 'true',
  [SETTING.frontDoor]: 'on',
};

/** The publish key of the local run. */
export const LOCAL_KEY = 'local-key';

interface Definition {
  readonly name: string;
  readonly option: string;
  /** Stands for the value in the usage; `null` = an option without value, which sets `1`. */
  readonly value: string | null;
  readonly fallback: string;
  readonly doc: string;
}

export const LOCAL_SETTINGS = [
  { name: 'PORT', option: 'port', value: 'PORT', fallback: '8000', doc: 'port of everything; `0` takes any free one' },
  {
    name: 'HOST',
    option: 'host',
    value: 'ADDRESS',
    fallback: '',
    doc: 'address to listen on; by default only this machine is served. `0.0.0.0` accepts connections from the network, such as from a phone',
  },
  {
    name: 'AWS_PORT',
    option: 'aws-port',
    value: 'PORT',
    fallback: '4567',
    doc: 'port of the local AWS APIs, on this machine only; `0` takes any free one',
  },
  {
    name: 'DATA_DIR',
    option: 'data-dir',
    value: 'FOLDER',
    fallback: '',
    doc: 'keeps tables and queues in that folder; without it they live in memory',
  },
  { name: 'DEMO', option: 'demo', value: 'on|off', fallback: 'on', doc: '`off`: empty tables, no replay' },
  { name: 'VERBOSE', option: 'verbose', value: null, fallback: '0', doc: 'prints every log line of the functions' },
] as const satisfies readonly Definition[];

type Name = (typeof LOCAL_SETTINGS)[number]['name'];

export interface LocalSettings {
  readonly port: number;
  /** The address to listen at; `null` = this machine only. */
  readonly host: string | null;
  /** Port of the local AWS APIs. */
  readonly awsPort: number;
  /** `null` = in memory. */
  readonly dataDir: string | null;
  readonly demo: boolean;
  readonly verbose: boolean;
}

const USAGE = `usage: npm start -- [options]
${LOCAL_SETTINGS.map(usageOf).join('\n')}
each is an environment variable too, and so are all other settings: PORT=8001 MAX_CONNECTIONS=10 npm start
docs/settings.md lists them all`;

function usageOf({ name, option, value, fallback, doc }: Definition): string {
  const text = `${doc.replaceAll('`', '')}${fallback === '' || !value ? '' : ` (${fallback})`}`;
  return `  ${`--${option}${value ? ` ${value}` : ''}`.padEnd(20)} ${text}${value ? '' : `; ${name}=1`}`;
}

/** Reads a port. Throws an error that names the setting or option. */
export function portOf(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new Error(`${name}: expected a port from 0 to 65535, got ${JSON.stringify(text)}`);
}

/** Reads the command line; `--help` or a mistake ends the process. Throws an error that names the setting whose value is wrong. */
export function readLocalSettings(environment: NodeJS.ProcessEnv): LocalSettings {
  const options = Object.fromEntries(LOCAL_SETTINGS.map(({ option, value }) => [option, { type: value ? 'string' : 'boolean' } as const]));
  const given: Readonly<Record<string, string | boolean | undefined>> = commandLine(USAGE, { options }).values;
  const read = (name: Name): string => {
    const { option, fallback } = LOCAL_SETTINGS.find((one) => one.name === name) as Definition;
    const chosen = given[option];
    return (typeof chosen === 'string' ? chosen : chosen && '1') || environment[name] || fallback;
  };
  const oneOf = (name: Name, values: readonly string[]): string => {
    const value = read(name);
    if (values.includes(value)) return value;
    throw new Error(`${name}: expected ${values.join(' or ')}, got ${JSON.stringify(value)}`);
  };
  const port = (name: Name): number => portOf(name, read(name));
  return {
    port: port('PORT'),
    host: read('HOST') || null,
    awsPort: port('AWS_PORT'),
    dataDir: read('DATA_DIR') || null,
    demo: oneOf('DEMO', ['on', 'off']) === 'on',
    verbose: oneOf('VERBOSE', ['0', '1']) === '1',
  };
}

/** `npm start`: the deployment on this machine. */

import type { System } from '../core/channels/system.ts';
import { SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { startDemo } from '../local/demo/demo.ts';
import { makeJournal } from '../local/demo/journal.ts';
import { startOnSale } from '../local/demo/on-sale.ts';
import { startOperations } from '../local/demo/operations.ts';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../local/issuer.ts';
import { type LocalRun, startLocal } from '../local/run.ts';
import { type Assembly, assemble } from './assemble.ts';
import { commandLine } from './command-line.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

const USAGE = `usage: npm start
settings are environment variables, such as PORT=8001 DEMO=off npm start; docs/settings.md lists them all`;

const DEFAULT_PORT = 8000;
const DEFAULT_AWS_PORT = 4567;
/** The publish key of the local run. */
const LOCAL_KEY = 'local-key';
/** After Ctrl-C, work in flight has this long to end. */
const SETTLE_MS = 5_000;
const YEAR_SECONDS = 365 * 86_400;

interface LocalSettings {
  readonly port: number;
  /** Of the local AWS APIs. */
  readonly awsPort: number;
  readonly dataDir: string | null;
  readonly demo: boolean;
  readonly verbose: boolean;
}

function readPort(name: string, environment: NodeJS.ProcessEnv, otherwise: number): number {
  const port = environment[name] || String(otherwise);
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new Error(`${name}: expected a port from 0 to 65535, got ${JSON.stringify(port)}`);
}

function readLocalSettings(environment: NodeJS.ProcessEnv): LocalSettings {
  const demo = environment['DEMO'] || 'on';
  if (demo !== 'on' && demo !== 'off') throw new Error(`DEMO: expected on or off, got ${JSON.stringify(demo)}`);
  const verbose = environment['VERBOSE'] || '0';
  if (verbose !== '0' && verbose !== '1') throw new Error(`VERBOSE: expected 0 or 1, got ${JSON.stringify(verbose)}`);
  const port = readPort('PORT', environment, DEFAULT_PORT);
  const awsPort = readPort('AWS_PORT', environment, DEFAULT_AWS_PORT);
  return { port, awsPort, dataDir: environment['DATA_DIR'] || null, demo: demo === 'on', verbose: verbose === '1' };
}

/** Defaults that differ from a deployment's: every transport is on, and the local run issues the tokens. */
const localDefaults = (environment: NodeJS.ProcessEnv): Record<string, string> => ({
  [SETTING.pushMode]: 'both',
  [SETTING.anonymousControl]: 'true',
  ...(environment[SETTING.authMode] === 'jwt' && !environment[SETTING.jwtIssuer]
    ? { [SETTING.jwtIssuer]: LOCAL_ISSUER, [SETTING.jwtAudience]: LOCAL_AUDIENCE, [SETTING.jwtJwksUri]: LOCAL_JWKS_URI }
    : {}),
});

/** An empty variable counts as not set. */
const given = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));

/** Reads all settings. If one is invalid, prints one line without a stack and ends the process. */
async function readEverything(): Promise<{ local: LocalSettings; settings: Settings; systems: readonly System[]; module: string }> {
  try {
    const module = systemsModule(process.env);
    const systems = await loadSystems(module);
    const settings = readSettings({ ...localDefaults(process.env), ...given(process.env) }, systems);
    return { local: readLocalSettings(process.env), settings, systems, module };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

/** Prints the functions' warnings and errors; with VERBOSE=1 every line. */
function printer(verbose: boolean): (name: string, line: string) => void {
  return (name, line) => {
    if (verbose) return console.log(`${name}: ${line}`);
    let entry: { level?: string; message?: string; error?: { name?: string; message?: string } } = {};
    try {
      entry = JSON.parse(line) as typeof entry;
    } catch {
      entry = { level: 'WARN', message: line };
    }
    if (entry.level !== 'WARN' && entry.level !== 'ERROR') return;
    console.error(`${name}: ${entry.message ?? ''}${entry.error ? ` (${entry.error.name}: ${entry.error.message})` : ''}`);
  };
}

async function main(): Promise<void> {
  const { local, settings, systems, module } = await readEverything();
  let assembly: Assembly | undefined;
  let run: LocalRun | undefined;
  let stopDemo: (() => Promise<void>) | undefined;
  let ending = false;

  const end = async (code: number): Promise<never> => {
    await stopDemo?.();
    if (run) await Promise.race([run.settled(), new Promise((done) => setTimeout(done, SETTLE_MS))]);
    await run?.stop();
    assembly?.remove();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // a second Ctrl-C does not wait
      if (ending) {
        assembly?.remove();
        process.exit(130);
      }
      ending = true;
      console.log('stopping …');
      void end(0);
    });
  }

  const print = printer(local.verbose);
  const journal = makeJournal();
  console.log('building the template and its functions …');
  try {
    assembly = await assemble({ settings, systems, systemsModule: module });
    run = await startLocal({
      templateFile: assembly.templateFile,
      port: local.port,
      awsPort: local.awsPort,
      dataDir: local.dataDir,
      secret: LOCAL_KEY,
      log: (name, line) => {
        print(name, line);
        journal.note(name, line);
      },
    });
  } catch (error) {
    console.error(explainStart(error, local));
    return end(1);
  }
  console.log(`ready ${run.url}  ·  WebSocket ${run.url.replace('http', 'ws')}/ws  ·  publish key ${LOCAL_KEY}  ·  Ctrl-C ends it`);
  console.log(`the AWS APIs of upstreams: AWS_ENDPOINT_URL=${run.awsUrl}  ·  event bus ${run.busName}`);
  if (!local.demo) return;
  const ownTokens = settings[SETTING.authMode] === 'jwt' && settings[SETTING.jwtIssuer] === LOCAL_ISSUER;
  const demo = {
    url: run.url,
    key: LOCAL_KEY,
    warn: (message: string) => console.error(`demo: ${message}`),
    ...(ownTokens ? { token: await run.mint({ user: 'demo', seconds: YEAR_SECONDS }) } : {}),
  };
  const { functions } = run;
  // a demo for each system that is there
  const demos: Readonly<Record<string, () => () => Promise<void>>> = {
    prices: () => startDemo(demo),
    ticketing: () => startOnSale(demo),
    operations: () => startOperations({ ...demo, journal, services: functions }),
  };
  const stops = systems.flatMap(({ name }) => (Object.hasOwn(demos, name) ? (demos[name]?.() ?? []) : []));
  stopDemo = async () => void (await Promise.all(stops.map((stop) => stop())));
}

function explainStart(error: unknown, { port, awsPort }: LocalSettings): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const taken = 'port' in error ? error.port : port;
    const [name, other] = taken === awsPort ? ['AWS_PORT', awsPort + 1] : ['PORT', port + 1];
    return `port ${taken} is taken by another program: stop that, or choose another port with ${name}=${other} npm start`;
  }
  return `cannot start: ${error instanceof Error ? error.message : String(error)}`;
}

// Node on this machine may be older than the deployed runtime
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
commandLine(USAGE, {});
await main();

/** `npm start`: the deployment on this machine. */
import './node-version.ts';

import { createServer } from 'node:http';
import type { System } from '../core/channels/system.ts';
import { SETTING } from '../core/names.ts';
import type { Settings } from '../core/settings.ts';
import { close, listen } from '../local/base/listen.ts';
import { startDemo } from '../local/demo/demo.ts';
import { makeJournal } from '../local/demo/journal.ts';
import { SHOWN, startOnSale } from '../local/demo/on-sale.ts';
import { startOperations } from '../local/demo/operations.ts';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../local/issuer.ts';
import { type LocalRun, startLocal } from '../local/run.ts';
import { type Assembly, assemble } from './assemble.ts';
import { demoKeys, hasAgent, startDemoAgent } from './demo-agent.ts';
import { LOCAL_KEY, type LocalSettings, OPEN_DEFAULTS, readLocalSettings } from './local-settings.ts';
import { makeProgress, seconds } from './progress.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

/** After Ctrl-C, what was accepted has this long to be delivered: a busy machine needs it. A second Ctrl-C ends at once. */
const SETTLE_MS = 20_000;
const YEAR_SECONDS = 365 * 86_400;

/** Defaults that differ from a deployment's: everything is open, and the local run issues the tokens. */
const localDefaults = (environment: NodeJS.ProcessEnv): Record<string, string> => ({
  ...OPEN_DEFAULTS,
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
    const local = readLocalSettings(process.env);
    const module = systemsModule(process.env);
    const systems = await loadSystems(module);
    const settings = readSettings({ ...localDefaults(process.env), ...given(process.env) }, systems);
    return { local, settings, systems, module };
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
    const left = (await run?.finish(SETTLE_MS)) ?? 0;
    if (left > 0)
      console.error(
        `${left} events and jobs are unfinished; ${local.dataDir === null ? 'they are lost' : 'the next start goes on with them'}`,
      );
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
  const keys = local.demo && hasAgent() && systems.some(({ name }) => name === 'operations') ? demoKeys(LOCAL_KEY) : null;
  const progress = makeProgress();
  try {
    await tryAddresses(local);
    assembly = await assemble({ settings, systems, systemsModule: module, progress });
    progress('starting tables, queues and functions');
    run = await startLocal({
      templateFile: assembly.templateFile,
      port: local.port,
      host: local.host,
      awsPort: local.awsPort,
      dataDir: local.dataDir,
      secret: keys?.secret ?? LOCAL_KEY,
      log: (name, line) => {
        print(name, line);
        journal.note(name, line);
      },
    });
  } catch (error) {
    progress(null);
    console.error(explainStart(error, local));
    return end(1);
  }
  progress(null);
  console.log(`the AWS APIs of upstreams: AWS_ENDPOINT_URL=${run.awsUrl}  ·  event bus ${run.busName}`);
  if (!run.hasFrontDoor && run.streamUrl !== null)
    console.log(`without a front door the event streams have their own address: ${run.streamUrl}; below they have their finite form`);
  const ownTokens = settings[SETTING.authMode] === 'jwt' && settings[SETTING.jwtIssuer] === LOCAL_ISSUER;
  if (local.host !== null && !/^(127\.|localhost$|::1$)/.test(local.host)) console.log(opened(local.host, ownTokens));
  console.log(
    `ready ${run.url}  ·  WebSocket ${run.url.replace('http', 'ws')}/ws  ·  publish key ${LOCAL_KEY}  ·  Ctrl-C ends it  ·  after ${seconds(process.uptime() * 1000)}`,
  );
  if (!local.demo) return;
  let lastWarning = '';
  const demo = {
    url: run.url,
    key: LOCAL_KEY,
    warn: (message: string) => {
      // the demo tries again twice a second: one line for as long as it goes on
      if (message !== lastWarning) console.error(`demo: ${message}`);
      lastWarning = message;
    },
    clock: run.clock,
    ...(ownTokens ? { token: await run.mint({ user: 'demo', seconds: YEAR_SECONDS }) } : {}),
  };
  const buyerToken = ownTokens ? await run.mint({ user: String(SHOWN.userId), seconds: YEAR_SECONDS }) : undefined;
  const { functions } = run;
  // a demo for each system that is there
  const demos: Readonly<Record<string, () => () => Promise<void>>> = {
    prices: () => startDemo(demo),
    ticketing: () => startOnSale({ ...demo, buyerToken }),
    operations: () => startOperations({ ...demo, journal, services: keys ? null : functions }),
  };
  const stops = systems.flatMap(({ name }) => (Object.hasOwn(demos, name) ? (demos[name]?.() ?? []) : []));
  if (keys) stops.push(await startDemoAgent({ url: run.url, key: keys.agentKey, dataDir: local.dataDir, warn: demo.warn }));
  stopDemo = async () => void (await Promise.all(stops.map((stop) => stop())));
}

/** The line about others on the network, and what HOST lets them do. */
const opened = (host: string, tokens: boolean): string =>
  `HOST=${host}: whoever reaches that address can publish with the key ${LOCAL_KEY}, and ${tokens ? 'get a token for any user and role' : 'read every topic and control services'}`;

/** A start takes seconds: a port that is taken, or a host that is not of this machine, is mostly found out before. */
async function tryAddresses({ port, host, awsPort }: LocalSettings): Promise<void> {
  const servers = [createServer(), createServer()] as const;
  try {
    await listen(servers[0], port, host ?? '127.0.0.1');
    await listen(servers[1], awsPort, '127.0.0.1');
  } finally {
    for (const server of servers) if (server.listening) await close(server);
  }
}

function explainStart(error: unknown, { port, host, awsPort }: LocalSettings): string {
  const { code, port: taken = port } = error as { readonly code?: unknown; readonly port?: unknown };
  if (host !== null && (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'))
    return `HOST=${host} is no address of this machine: 0.0.0.0 stands for all of them`;
  if (code === 'EADDRINUSE') {
    const [name, other] = taken === awsPort ? ['AWS_PORT', awsPort + 1] : ['PORT', port + 1];
    return `port ${taken} is taken by another program: stop that, or choose another port with ${name}=${other} npm start`;
  }
  return `cannot start: ${error instanceof Error ? error.message : String(error)}`;
}

await main();

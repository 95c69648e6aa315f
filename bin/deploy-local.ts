/** `npm run deploy:local`: deploys the real template to an emulator, behind a front door that routes as the local run's does. */
import './node-version.ts';
import { createServer } from 'node:net';
import { SOCKET_STAGE } from '../core/names.ts';
import { listen } from '../local/base/listen.ts';
import { answers, type Deployed, deploy } from '../local/emulator/deploy.ts';
import { EMULATORS, type Emulator } from '../local/emulator/emulators.ts';
import { nodeIn, type RunningEmulator, startMiniStack } from '../local/emulator/ministack.ts';
import { httpOrigin, socketOrigin } from '../local/emulator/origins.ts';
import { type Target, trusted } from '../local/emulator/target.ts';
import type { Behavior } from '../local/front-door/distribution.ts';
import { distributionRouter, type FrontDoor, frontDoor, type Origin } from '../local/front-door/door.ts';
import { commandLine } from './command-line.ts';
import { OPEN_DEFAULTS, portOf } from './local-settings.ts';
import { makeProgress } from './progress.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

const USAGE = `usage: npm run deploy:local -- [options]
  --emulator NAME       ${Object.keys(EMULATORS).join(' or ')} (ministack), or EMULATOR
  --endpoint URL        of an emulator that runs already, or AWS_ENDPOINT_URL; without it MiniStack is installed and started
  --emulator-port PORT  where to start MiniStack (4566); 0 takes any free one
  --port PORT           of the front door (8001), or PORT; 0 takes any free one
  --node FOLDER         with the node that is to run the functions in MiniStack; by default the one that runs this
settings are environment variables, as for npm run deploy; docs/settings.md lists them all`;

/** Status of a program that was interrupted before it was done. */
const INTERRUPTED = 130;
/** How long an emulator may take to answer. */
const START_MS = 60_000;

async function main(): Promise<void> {
  const { values } = commandLine(USAGE, {
    options: {
      emulator: { type: 'string' },
      endpoint: { type: 'string' },
      'emulator-port': { type: 'string' },
      port: { type: 'string' },
      node: { type: 'string' },
    },
  });
  const name = values.emulator ?? (process.env['EMULATOR'] || 'ministack');
  const emulator = Object.hasOwn(EMULATORS, name) ? EMULATORS[name] : undefined;
  if (!emulator) throw new Error(`there is no emulator ${JSON.stringify(name)}; there are ${Object.keys(EMULATORS).join(' and ')}`);
  const settings = { ...OPEN_DEFAULTS, ...process.env };
  // a wrong setting is said before anything is started
  readSettings(settings, await loadSystems(systemsModule(process.env)));
  const endpoint = endpointOf(values.endpoint ?? (process.env['AWS_ENDPOINT_URL'] || null));
  const port = await freePort(portOf('--port', values.port ?? (process.env['PORT'] || '8001')), 'choose another with --port');
  const node = values.node === undefined ? null : await nodeIn(values.node);

  let running: RunningEmulator | null = null;
  let door: FrontDoor | null = null;
  const progress = makeProgress();
  const stopped = new AbortController();
  const end = async (status: number): Promise<never> => {
    await Promise.all([door?.stop(), running?.stop()]);
    process.exit(status);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopped.signal.aborted) return;
      console.log('stopping …');
      stopped.abort();
      // a deployment under way ends first, and is told below
      if (door !== null) void end(0);
    });
  try {
    let target: Target = { emulator, endpoint: endpoint ?? emulator.endpoint, certificate: null };
    if (endpoint === null && name === 'ministack') {
      const wanted = portOf('--emulator-port', values['emulator-port'] ?? '4566');
      const at = await freePort(
        wanted,
        `if that is an emulator, name it with --endpoint http://localhost:${wanted}; if not, choose another port with --emulator-port`,
      );
      running = await startMiniStack({
        version: emulator.version,
        port: at,
        node: node?.folder ?? null,
        environment: process.env,
        progress,
      });
      target = { emulator, endpoint: `https://localhost:${at}`, certificate: running.certificate };
    }
    await untilItAnswers(target, running, stopped.signal);
    const deployed = await deploy(target, settings, progress, stopped.signal);
    stopped.signal.throwIfAborted();
    door = await openDoor(port, target, deployed);
    progress(null);
    describe(name, target, deployed, door);
    if (running !== null) console.log(`the functions run on Node ${node?.version ?? process.version}`);
    printReady(door, running !== null);
  } catch (error) {
    progress(null);
    if (stopped.signal.aborted) return end(INTERRUPTED);
    console.error(error instanceof Error ? error.message : String(error));
    await end(1);
  }
}

/** An emulator's address without a slash at its end. Throws an error that says what is wrong. */
function endpointOf(given: string | null): string | null {
  if (given === null) return null;
  if (/^https?:\/\/[^/]+\/?$/.test(given) && URL.canParse(given)) return given.replace(/\/$/, '');
  throw new Error(`--endpoint: expected an address such as http://localhost:4566, got ${JSON.stringify(given)}`);
}

/** The port itself, or any free one for 0. Throws an error with the advice if it is taken. */
async function freePort(wanted: number, advice: string): Promise<number> {
  const probe = createServer();
  try {
    return await listen(probe, wanted, '127.0.0.1');
  } catch {
    throw new Error(`port ${wanted} is taken: ${advice}`);
  } finally {
    await new Promise((done) => probe.close(done));
  }
}

async function untilItAnswers(target: Target, running: RunningEmulator | null, stopped: AbortSignal): Promise<void> {
  const deadline = Date.now() + (running === null ? 0 : START_MS);
  while (!(await answers(target).catch(() => false))) {
    stopped.throwIfAborted();
    const last = running?.ended() ?? null;
    if (last !== null) throw new Error(`the emulator ended:\n${last}`);
    if (Date.now() > deadline) throw new Error(`no emulator answers at ${target.endpoint}: ${target.emulator.start}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Serves as CloudFront would: the emulator has its APIs, and no edge before them. */
function openDoor(port: number, target: Target, { behaviors, apis }: Deployed): Promise<FrontDoor> {
  const { emulator, endpoint } = target;
  const at = (apiId: string) => ({ endpoint, host: emulator.apiHost(apiId), ca: trusted(target) });
  const echoes = !emulator.lacks.includes('subprotocol');
  const apiOf = ({ origin: { domain } }: Behavior) => apis.get(domain.split('.')[0] ?? '');
  const originOf = (behavior: Behavior): Origin => {
    const { id = '', isSocket = false } = apiOf(behavior) ?? {};
    return isSocket ? socketOrigin(at(id), SOCKET_STAGE, echoes) : httpOrigin(at(id));
  };
  // without streaming the HTTP API serves the streams, in their finite form: by the default behaviour
  const served = behaviors.filter((behavior) => apiOf(behavior) !== undefined);
  return frontDoor(port, null, distributionRouter(served, originOf));
}

function describe(name: string, target: Target, { outputs, publishKey }: Deployed, door: FrontDoor): void {
  console.log(`${name} ${target.emulator.version}, ${triedOn(target.emulator)}, at AWS_ENDPOINT_URL=${target.endpoint}`);
  if (target.certificate !== null) console.log(`its certificate: AWS_CA_BUNDLE=${target.certificate}`);
  console.log(`event bus ${outputs['EventBusName']}`);
  console.log(`publish key ${publishKey}`);
  console.log(`to publish: npm run publish -- --url ${addressOf(door)} --key ${publishKey} price 005930 158600`);
}

const addressOf = ({ port }: FrontDoor): string => `http://localhost:${port}`;

/** The last line: whoever waits for it finds all others above. */
function printReady(door: FrontDoor, ours: boolean): void {
  const url = addressOf(door);
  console.log(
    `ready ${url}  ·  WebSocket ${url.replace('http', 'ws')}/ws  ·  Ctrl-C ends it${ours ? ', and the emulator with everything in it' : '; the stack stays in the emulator'}`,
  );
}

const triedOn = ({ lastRun }: Emulator): string => (lastRun === null ? 'never run by us' : `last run by us on ${lastRun}`);

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});

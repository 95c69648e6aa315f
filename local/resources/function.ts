import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { askThread } from '../base/ask-thread.ts';
import type { LocalClock } from '../base/clock.ts';
import type { Levers } from '../base/levers.ts';
import type { Executions } from './executions.ts';
import { invocationTrace } from './loops.ts';

/** `AWS::Lambda::Function`: each execution environment is a thread, and serves one invocation at a time as Lambda's do. */
export interface LocalFunction {
  readonly name: string;
  /** Whether it may be invoked again and again by what it causes itself. */
  readonly mayLoop: boolean;
  /**
   * Rejects if the function threw, timed out or was killed, and with a ThrottledError if it is throttled. `trace`: the trace header
   * that its calls carry. @default a new one
   */
  invoke(event: unknown, trace?: string): Promise<unknown>;
  /** Calls back with each piece of a streamed response. Resolves at its end, even if it ends early. Rejects with a ThrottledError. */
  stream(event: unknown, onPiece: (piece: Buffer) => void): Promise<void>;
  /** Bytes of live objects of each environment that is idle, after a collection. */
  heaps(): Promise<number[]>;
  /** Number of invocations in flight or waiting, without streams. */
  running(): number;
  /** Number of invocations that wait for an environment. */
  waiting(): number;
  stop(): Promise<void>;
}

export interface FunctionOptions {
  readonly name: string;
  readonly folder: string;
  /** `file.export`. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  /** @default false */
  readonly mayLoop?: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: LocalClock;
  readonly levers: Levers;
  readonly executions: Executions;
  readonly log: (name: string, line: string) => void;
  /** Adds a value to one of the platform's metrics. */
  readonly measure: (metric: string, value: number) => void;
}

/** Limit of environments per function: more would only compete for the cores of a laptop, and each compiles its code anew. */
export const MAX_ENVIRONMENTS = Math.min(4, Math.max(2, availableParallelism()));

/** The platform gives each stream an environment of its own. A laptop has no memory for that many threads, so streams share. */
const STREAMS_AN_ENVIRONMENT = 300;

/** A lever kills an invocation at a random moment within this time. */
const HALF_WAY_MS = 30;
const STREAM_HALF_WAY_MS = 2_000;

/** How long an environment was frozen, if a lever says so. Signatures are refused after 5 minutes. */
const FROZEN_MS = 6 * 60_000;

const WORKER = fileURLToPath(new URL('./function-worker.mjs', import.meta.url));

interface Environment {
  readonly worker: Worker;
  readonly inFlight: Map<string, Invocation>;
}
interface Invocation {
  readonly settle: (outcome: Outcome) => void;
  readonly onPiece: (piece: Buffer) => void;
}
type Outcome = { readonly result?: unknown; readonly error?: { readonly name: string; readonly message: string; readonly stack?: string } };
/** Without id: of no invocation. */
type Reply = Outcome & { readonly id?: string; readonly chunk?: Uint8Array };

export function localFunction(options: FunctionOptions): LocalFunction {
  const { name, levers } = options;
  const all = new Set<Environment>();
  /** Environments with room, the most recently used last. */
  const free: Environment[] = [];
  const waiting: ((environment: Environment) => void)[] = [];
  let stopping = false;
  let running = 0;

  const discard = (environment: Environment, error: NonNullable<Outcome['error']>): void => {
    all.delete(environment);
    if (free.includes(environment)) free.splice(free.indexOf(environment), 1);
    for (const { settle } of environment.inFlight.values()) settle({ error });
    environment.inFlight.clear();
  };
  const start = (): Environment => {
    const [file = 'index', exportName = 'handler'] = options.handler.split('.');
    const worker = new Worker(WORKER, {
      workerData: { bundle: join(options.folder, `${file}.mjs`), exportName, shift: options.clock.shift },
      env: { ...options.environment },
      stdout: true,
      stderr: true,
      execArgv: ['--enable-source-maps'],
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    const environment: Environment = { worker, inFlight: new Map() };
    worker.on('message', ({ id, chunk, ...outcome }: Reply) => {
      if (id === undefined) return;
      const invocation = environment.inFlight.get(id);
      if (chunk) return invocation?.onPiece(Buffer.from(chunk));
      environment.inFlight.delete(id);
      invocation?.settle(outcome);
    });
    worker.on('error', (error: Error) => discard(environment, error));
    worker.on('exit', () =>
      discard(environment, { name: 'Runtime.ExitError', message: `an environment of ${name} ended during the invocation` }),
    );
    for (const stream of [worker.stdout, worker.stderr]) {
      let rest = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') options.log(name, line);
      });
    }
    all.add(environment);
    return environment;
  };

  const acquire = async (): Promise<Environment> => {
    const found = free.pop();
    if (found) return found;
    if (all.size < MAX_ENVIRONMENTS) return start();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const release = (environment: Environment): void => {
    const next = waiting.shift();
    if (next) next(all.has(environment) ? environment : start());
    else if (all.has(environment) && !free.includes(environment)) free.push(environment);
  };

  /** One invocation. If `shared`, its environment serves others at the same time. */
  const execute = async (event: unknown, trace: string, shared: boolean, onPiece: (piece: Buffer) => void): Promise<Outcome> => {
    const environment = await acquire();
    const id = randomUUID();
    const deadlineMs = Date.now() + options.timeoutSeconds * 1000;
    const killed = levers.random() < (levers.kill.get(name) ?? 0);
    const frozen = levers.random() < (levers.freeze.get(name) ?? 0);
    let timer: NodeJS.Timeout | undefined;
    const outcome = await new Promise<Outcome>((resolve) => {
      environment.inFlight.set(id, { settle: resolve, onPiece });
      const die = (message: string): void => {
        if (!environment.inFlight.delete(id)) return;
        // a shared thread goes on for its other streams, and the rest of this one is dropped
        if (!shared) {
          all.delete(environment);
          void environment.worker.terminate();
        }
        resolve({ error: { name: 'Runtime.ExitError', message } });
      };
      timer = setTimeout(() => die(`${name} timed out after ${options.timeoutSeconds} seconds`), options.timeoutSeconds * 1000);
      environment.worker.postMessage({ id, event, trace, deadlineMs, frozenMs: frozen ? FROZEN_MS : 0, context: contextOf(name) });
      if (killed) setTimeout(() => die(`${name} was killed by a lever`), levers.random() * (shared ? STREAM_HALF_WAY_MS : HALF_WAY_MS));
      if (shared && environment.inFlight.size < STREAMS_AN_ENVIRONMENT) release(environment);
    });
    clearTimeout(timer);
    release(environment);
    return outcome;
  };
  const begin = (): (() => void) => {
    try {
      return options.executions.begin(name);
    } catch (error) {
      options.measure('Throttles', 1);
      throw error;
    }
  };
  const call = async (...parameters: Parameters<typeof execute>): Promise<Outcome> => {
    if (stopping) throw new Error(`${name} is stopping`);
    const end = begin();
    const startedMs = Date.now();
    options.measure('Invocations', 1);
    const outcome = await execute(...parameters).finally(end);
    options.measure('Duration', Date.now() - startedMs);
    // a stop is no failure of the function
    options.measure('Errors', outcome.error && !stopping ? 1 : 0);
    return outcome;
  };

  return {
    name,
    mayLoop: options.mayLoop ?? false,
    async invoke(event, trace = invocationTrace(name, [])) {
      running++;
      const outcome = await call(event, trace, false, () => undefined).finally(() => running--);
      if (outcome.error) throw Object.assign(new Error(outcome.error.message), { name: outcome.error.name, stack: outcome.error.stack });
      return outcome.result;
    },
    async stream(event, onPiece) {
      const { error } = await call(event, invocationTrace(name, []), true, onPiece);
      if (error && !stopping) options.log(name, JSON.stringify({ level: 'WARN', message: `a stream ended early: ${error.message}` }));
    },
    heaps: () => Promise.all([...all].filter(({ inFlight }) => inFlight.size === 0).map(({ worker }) => askThread<number>(worker, 'heap'))),
    running: () => running,
    waiting: () => waiting.length,
    async stop() {
      stopping = true;
      await Promise.all([...all].map(({ worker }) => worker.terminate()));
    },
  };
}

const contextOf = (name: string) => ({
  functionName: name,
  functionVersion: '$LATEST',
  invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${name}`,
  memoryLimitInMB: '1024',
  awsRequestId: randomUUID(),
  logGroupName: `/aws/lambda/${name}`,
  logStreamName: 'local',
  callbackWaitsForEmptyEventLoop: true,
});

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { LocalClock } from '../clock.ts';
import type { Levers } from '../levers.ts';

/** `AWS::Lambda::Function`: execution environments are threads that serve one invocation at a time, as Lambda's do. */
export interface LocalFunction {
  readonly name: string;
  /** Throws where the function threw, timed out or was killed. */
  invoke(event: unknown): Promise<unknown>;
  /** Invocations under way or waiting. */
  running(): number;
  stop(): Promise<void>;
}

export interface FunctionOptions {
  readonly name: string;
  readonly folder: string;
  /** `file.export`. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: LocalClock;
  readonly levers: Levers;
  readonly log: (name: string, line: string) => void;
}

/** So many environments of one function at most: more would only fight for the laptop's cores. */
export const MAX_ENVIRONMENTS = 4;

const WORKER = fileURLToPath(new URL('../function-worker.mjs', import.meta.url));

interface Environment {
  readonly worker: Worker;
  settle: ((outcome: Outcome) => void) | null;
}
type Outcome = { readonly result?: unknown; readonly error?: { readonly name: string; readonly message: string; readonly stack?: string } };

export function localFunction(options: FunctionOptions): LocalFunction {
  const { name, levers } = options;
  const idle: Environment[] = [];
  const all = new Set<Environment>();
  const waiting: ((environment: Environment) => void)[] = [];
  let stopping = false;
  let running = 0;

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
    const environment: Environment = { worker, settle: null };
    const end = (outcome: Outcome): void => {
      const settle = environment.settle;
      environment.settle = null;
      settle?.(outcome);
    };
    worker.on('message', (message: Outcome & { ready?: true }) => {
      if (!message.ready) end(message);
    });
    worker.on('error', (error: Error) => {
      all.delete(environment);
      end({ error });
    });
    worker.on('exit', () => {
      all.delete(environment);
      if (idle.includes(environment)) idle.splice(idle.indexOf(environment), 1);
      end({ error: { name: 'Runtime.ExitError', message: `an environment of ${name} ended during the invocation` } });
    });
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
    const free = idle.pop();
    if (free) return free;
    if (all.size < MAX_ENVIRONMENTS) return start();
    return new Promise((resolve) => waiting.push(resolve));
  };
  const release = (environment: Environment): void => {
    const next = waiting.shift();
    if (next) next(all.has(environment) ? environment : start());
    else if (all.has(environment)) idle.push(environment);
  };

  return {
    name,
    async invoke(event) {
      if (stopping) throw new Error(`${name} is stopping`);
      running++;
      const environment = await acquire();
      const deadlineMs = Date.now() + options.timeoutSeconds * 1000;
      const killed = levers.random() < (levers.kill.get(name) ?? 0);
      let timer: NodeJS.Timeout | undefined;
      const outcome = await new Promise<Outcome>((resolve) => {
        environment.settle = resolve;
        const die = (reason: string): void => {
          environment.settle = null;
          all.delete(environment);
          void environment.worker.terminate();
          resolve({ error: { name: 'Runtime.ExitError', message: reason } });
        };
        timer = setTimeout(() => die(`${name} timed out after ${options.timeoutSeconds} seconds`), options.timeoutSeconds * 1000);
        environment.worker.postMessage({ event, deadlineMs, context: contextOf(name) });
        if (killed) setTimeout(() => environment.settle === resolve && die(`${name} was killed by a lever`), levers.random() * 30);
      });
      clearTimeout(timer);
      running--;
      release(environment);
      if (outcome.error) throw Object.assign(new Error(outcome.error.message), { name: outcome.error.name, stack: outcome.error.stack });
      return outcome.result;
    },
    running: () => running,
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

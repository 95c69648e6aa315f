/**
 * `npm run test:emulator`: deploys to an emulator, runs the contract suites against it by URL, and takes it down. Succeeds if
 * exactly those tests fail that `local/emulator/lacks.ts` names for what the emulator lacks, and no function logged an error.
 */
import '../bin/node-version.ts';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { commandLine } from '../bin/command-line.ts';
import { readIds, statusOf } from '../local/emulator/deploy.ts';
import { EMULATORS, type Emulator } from '../local/emulator/emulators.ts';
import { FAILS } from '../local/emulator/lacks.ts';
import { logLines } from '../local/emulator/logs.ts';
import { environmentOf, type Target } from '../local/emulator/target.ts';
import { postEvents } from '../local/publisher.ts';

const USAGE = `usage: npm run test:emulator -- [options of npm run deploy:local]
PYTHON names an interpreter with the Python clients: then they are run too`;

const STACK = 'RealtimePush-local';
const VITEST = 'node_modules/vitest/vitest.mjs';
/** How long the deployment may take. */
const DEPLOY_MS = 180_000;
/** How long one of the operator's programs may take. */
const PROGRAM_MS = 90_000;
/** Lines of these kinds in a function's log are failures. */
const BAD_LINES = ['"level":"ERROR"', 'Task timed out', 'Runtime.'];

interface Deployed {
  readonly target: Target;
  readonly url: string;
  readonly publishKey: string;
  readonly child: ChildProcess;
}

interface Result {
  readonly file: string;
  readonly title: string;
  readonly passed: boolean;
  readonly message: string;
}

async function deployed(options: readonly string[]): Promise<Deployed> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bin/deploy-local.ts', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // the tests open more streams and act more than a guest may
    env: { ...process.env, SSE_MAX_STREAMS: '1000', ACCOUNT_CONCURRENCY: '5000' },
  });
  let output = '';
  const timer = setTimeout(() => child.kill('SIGINT'), DEPLOY_MS);
  // it goes on writing to its pipe until it ends
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text);
      output += text;
      if (/^ready .*\n/m.test(output)) resolve();
    });
    child.once('exit', () => resolve());
  });
  clearTimeout(timer);
  const find = (pattern: RegExp): string | null => pattern.exec(output)?.[1] ?? null;
  const url = find(/^ready (\S+)/m);
  const emulator = EMULATORS[find(/^(\w+) \S+, .*AWS_ENDPOINT_URL=/m) ?? ''];
  if (!url || !emulator) throw new Error('the deployment failed');
  return {
    child,
    url,
    publishKey: find(/^publish key (.*)$/m) ?? '',
    target: { emulator, endpoint: find(/AWS_ENDPOINT_URL=(\S+)/) ?? '', certificate: find(/AWS_CA_BUNDLE=(\S+)/) },
  };
}

/** Runs these test files against the deployment. */
async function run(
  files: readonly string[],
  config: string,
  { url, publishKey }: Deployed,
  environment: NodeJS.ProcessEnv = {},
): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-emulator-'));
  const report = join(folder, 'report.json');
  try {
    const child = spawn(process.execPath, [VITEST, 'run', '--config', config, '--reporter=json', `--outputFile=${report}`, ...files], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PUSH_URL: url, PUSH_KEY: publishKey, ...environment },
    });
    await once(child, 'exit');
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
      testResults: { name: string; assertionResults: { fullName: string; status: string; failureMessages?: string[] }[] }[];
    };
    return testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status !== 'skipped' && status !== 'pending')
        .map(({ fullName, status, failureMessages = [] }) => ({
          file: basename(name),
          title: fullName,
          passed: status === 'passed',
          message: failureMessages[0] ?? '',
        })),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks the HTTP API at its own host name, past the front door. Returns what is wrong with its answer. */
async function pastTheDoor({ target }: Deployed): Promise<string[]> {
  const ids = await readIds(STACK, target);
  const apiId = [...ids].find(([id]) => /^HttpApi[0-9A-F]{8}$/.test(id))?.[1] ?? '';
  const { host, port } = new URL(target.endpoint);
  const name = target.emulator.apiHost(apiId);
  const status = await statusOf('/api/health', { host: host.includes(':') ? `${name}:${port}` : name }, target);
  console.log(`past the front door, at ${name}: ${status}`);
  return status === 403 ? [] : [`a request past the front door got ${status} instead of 403`];
}

/** Runs the operator's programs on the deployed stack. Returns what is wrong. */
async function operated({ url, publishKey, target }: Deployed): Promise<string[]> {
  const id = randomUUID();
  const detail = { ticker: '005930', price: 1, change: 0, change_rate: 0, volume: 0, bid_price: 0, ask_price: 0 };
  await postEvents(url, publishKey, [{ source: 'market.price', detailType: 'PriceTicked', detail, id }]);
  const programs: Readonly<Record<string, { readonly words: readonly string[]; readonly says: RegExp }>> = {
    doctor: { words: ['--url', url, '--key', publishKey, '--wait', '30'], says: /^well$/m },
    trace: { words: [id], says: /^\S+ {2}accepted, on the lane bus$/m },
    'dead-letters': { words: ['list'], says: /^ +\d+ {2}IngestEventsDead/m },
    keys: { words: ['list'], says: /^\w{8} {2}\* / },
  };
  const problems: string[] = [];
  for (const [program, { words, says }] of Object.entries(programs)) {
    const env = { ...process.env, ...environmentOf(target) };
    const command = ['--import', 'tsx', `bin/${program}.ts`, ...words, '--stack', STACK];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { env, timeout: PROGRAM_MS }).catch(
      (failed: { stdout: string; stderr: string }) => failed,
    );
    const isRight = program === 'keys' ? says.test(stdout.split('\n')[1] ?? '') : says.test(stdout);
    console.log(
      `npm run ${program} -- ${words[0] === id ? 'ID' : (words[0] ?? '')} --stack ${STACK}: ${isRight ? 'as it should be' : 'wrong'}`,
    );
    if (!isRight) problems.push(`npm run ${program}:\n${stdout}${stderr}`);
  }
  return problems;
}

/** Makes the key of an agent with one of the operator's programs. */
async function agentKey({ target }: Deployed): Promise<string> {
  const words = ['--import', 'tsx', 'bin/keys.ts', 'add', '--agent', 'web-1', '--services', 'posco_news', '--stack', STACK];
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    env: { ...process.env, ...environmentOf(target) },
    timeout: PROGRAM_MS,
  });
  return stdout.trim();
}

/** Prints the table; returns what is not as it should be. */
function judge(results: readonly Result[], { lacks }: Emulator): string[] {
  const named = new Map(lacks.flatMap((lack) => FAILS[lack].map((title) => [title, lack] as const)));
  const files = [...new Set(results.map(({ file }) => file))].sort();
  console.log(`\n${'contract suite'.padEnd(30)} passed  lacks  failed`);
  for (const file of files) {
    const own = results.filter((result) => result.file === file);
    const failed = own.filter(({ passed }) => !passed);
    const lacking = failed.filter(({ title }) => named.has(title)).length;
    const counts = [own.length - failed.length, lacking, failed.length - lacking].map((count) => String(count).padStart(6));
    console.log(`${file.padEnd(30)} ${counts.join(' ')}`);
  }
  const passed = results.filter((result) => result.passed);
  console.log(`${'in all'.padEnd(30)} ${String(passed.length).padStart(6)} of ${results.length}`);
  for (const { title, passed: did } of results) if (!did && named.has(title)) console.log(`  ${named.get(title)}: ${title}`);
  return [
    ...results.filter(({ passed: did, title }) => !did && !named.has(title)).map(({ title, message }) => `failed: ${title}\n${message}`),
    ...passed.filter(({ title }) => named.has(title)).map(({ title }) => `passes, but local/emulator/lacks.ts names it: ${title}`),
    ...[...named.keys()].filter((title) => !results.some((result) => result.title === title)).map((title) => `there is no test: ${title}`),
  ];
}

// the options are those of deploy:local
commandLine(USAGE, { strict: false, allowPositionals: true });
const deployment = await deployed(['--port', '0', ...process.argv.slice(2)]);
try {
  const results = await run(['test/contracts'], 'vitest.config.ts', deployment);
  if (process.env['PYTHON'])
    results.push(...(await run(['test/clients/python', '-t', 'stomp.py'], 'vitest.clients.config.ts', deployment)));
  const AGENT_KEY = await agentKey(deployment);
  results.push(...(await run(['test/clients/agent'], 'vitest.clients.config.ts', deployment, { AGENT_KEY })));
  const problems = [...judge(results, deployment.target.emulator), ...(await pastTheDoor(deployment)), ...(await operated(deployment))];
  const { lines, all } = await logLines(deployment.target, BAD_LINES);
  // the emulator itself ends a function that is slow, as on a busy machine: its records come back, and the suites see what becomes of them
  const errors = lines.filter((line) => !line.includes('Task timed out after'));
  console.log(
    `${all} lines in the functions' logs, ${errors.length} of them errors, and ${lines.length - errors.length} functions out of time`,
  );
  problems.push(...errors.slice(0, 20));
  if (results.length === 0 || all === 0) problems.push('nothing was run');
  for (const problem of problems) console.error(`\n${problem}`);
  if (problems.length > 0) process.exitCode = 1;
} finally {
  deployment.child.kill('SIGINT');
  if (deployment.child.exitCode === null) await once(deployment.child, 'exit');
}

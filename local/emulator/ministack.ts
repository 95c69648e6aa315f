/** Installs MiniStack into a virtual environment of ours, and starts it: with TLS and with its enforcement of IAM policies. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface StartOptions {
  readonly version: string;
  readonly port: number;
  /** Absolute folder with the `node` that runs the functions; `null` = the one that runs this. */
  readonly node: string | null;
  readonly environment: NodeJS.ProcessEnv;
  readonly progress: (step: string) => void;
}

export interface RunningEmulator {
  /** The file with the certificate that it serves. */
  readonly certificate: string;
  /** Its last lines once it has ended; `null` while it runs. */
  ended(): string | null;
  stop(): Promise<void>;
}

/** Kept between runs, beside `dist/`. */
const FOLDER = fileURLToPath(new URL('../../.emulator', import.meta.url));

const run = promisify(execFile);

/** The node in a folder, which may be relative. Throws an error if there is none that runs. */
export async function nodeIn(folder: string): Promise<{ readonly folder: string; readonly version: string }> {
  const absolute = resolve(folder);
  const { stdout } = await run(join(absolute, 'node'), ['--version']).catch((error: Error) => {
    throw new Error(`--node: there is no node that runs in ${absolute}: ${error.message.split('\n')[0]}`);
  });
  return { folder: absolute, version: stdout.trim() };
}

/** Throws an error that says what is missing on this machine. */
export async function startMiniStack({ version, port, node, environment, progress }: StartOptions): Promise<RunningEmulator> {
  const program = await install(version, progress);
  progress(`starting MiniStack ${version}`);
  // its temporary files, the functions' code among them, go with it
  const folder = mkdtempSync(join(tmpdir(), 'realtime-push-ministack-'));
  const certificate = join(folder, 'ministack-tls', 'server.crt');
  const child = spawn(program, [], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // the functions inherit it: nothing of this shell may reach them that Lambda would not set
    env: {
      PATH: [node ?? dirname(process.execPath), environment['PATH'] ?? ''].join(delimiter),
      HOME: environment['HOME'],
      TMPDIR: folder,
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      LAMBDA_EXECUTOR: 'local',
      IOT_MTLS_ENABLED: '0',
      AUTH: 'true',
      USE_SSL: '1',
      NODE_EXTRA_CA_CERTS: certificate,
    },
  });
  let last = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      last = (last + text).slice(-2_000);
    });
  let ended = false;
  child.once('error', (error) => {
    ended = true;
    last = String(error);
  });
  child.once('exit', () => {
    ended = true;
  });
  return {
    certificate,
    ended: () => (ended ? last : null),
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function install(version: string, progress: (step: string) => void): Promise<string> {
  const folder = join(FOLDER, `ministack-${version}`);
  const program = join(folder, 'bin', 'ministack');
  if (existsSync(program)) return program;
  await needed('python3', ['--version'], 'MiniStack is a Python program: install Python 3.10 or newer, as python3');
  await needed('openssl', ['version'], 'MiniStack makes its certificate with openssl: install it');
  progress(`installing MiniStack ${version} into ${folder}`);
  mkdirSync(FOLDER, { recursive: true });
  try {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', `ministack==${version}`]);
  } catch (error) {
    // half of it would count as installed
    rmSync(folder, { recursive: true, force: true });
    const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
    throw new Error(`MiniStack ${version} cannot be installed: ${(stderr || stdout || message).trim()}`);
  }
  return program;
}

async function needed(program: string, options: readonly string[], advice: string): Promise<void> {
  await run(program, options).catch(() => {
    throw new Error(`${advice}; or start an emulator yourself and name it in AWS_ENDPOINT_URL`);
  });
}

/** How long it may take to end by itself. */
const END_MS = 5_000;

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(timer);
}

/**
 * `npm run mutants`: changes the code at random, by a seed, one change at a time in a copy of the work tree, and counts the
 * changes that no unit or port test notices. A survivor is a test to write, or code that is not needed.
 */
import '../bin/node-version.ts';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assemble } from '../bin/assemble.ts';
import { commandLine } from '../bin/command-line.ts';
import { readSettings } from '../bin/settings.ts';
import { makeLevers } from '../local/base/levers.ts';
import { systems } from '../systems/index.ts';
import { type Mutant, mutantsOf, mutated } from './mutations.ts';

const USAGE = `usage: npm run mutants -- [--count 100] [--seed 1] [--minutes 40] [--only core/delivery]
  --count     how many changes are tried; the first 50 of 100 are those of --count 50
  --seed      selects them
  --minutes   after this time no change is started; the score is of those tried
  --only      only files whose path begins with this`;

const ROOT = resolve(fileURLToPath(import.meta.url), '../..');
const TARGETS = ['core', 'systems', 'functions/adapters'];
const NOT_COPIED = new Set(['node_modules', '.git', 'dist', 'cdk.out', 'coverage', '.venv-ci']);
const VITEST = 'node_modules/vitest/vitest.mjs';
const FLAGS = ['--config', 'vitest.mutants.config.ts', '--run', '--bail', '1', '--passWithNoTests'];
/** Other work may slow a run down; a change may make a loop endless. */
const PATIENCE = 3;
const GRACE_MS = 10_000;
const MINUTE_MS = 60_000;

interface Options {
  readonly count: number;
  readonly seed: number;
  readonly minutes: number;
  readonly only: string;
}

/** Unread: no test that the run knows (`vitest.mutants.config.ts`) imports the file. */
const ENDS = ['caught', 'timed out', 'survived', 'unread'] as const;
type End = (typeof ENDS)[number];

interface Run {
  readonly end: End;
  readonly output: string;
  readonly ms: number;
}

function readOptions(): Options {
  const { values } = commandLine(USAGE, {
    options: {
      count: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '40' },
      only: { type: 'string', default: '' },
    },
  });
  for (const name of ['count', 'seed', 'minutes'] as const) {
    if (!/^[1-9]\d{0,6}$/.test(values[name])) throw new Error(`--${name} ${values[name]}: expected a whole number from 1\n${USAGE}`);
  }
  return { count: Number(values.count), seed: Number(values.seed), minutes: Number(values.minutes), only: values.only };
}

const filesOf = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

/** Every possible change, in a stable order. */
const everyMutant = (only: string): Mutant[] =>
  TARGETS.filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap(filesOf)
    .filter((file) => file.startsWith(only))
    .sort()
    .flatMap((file) => mutantsOf(file, readFileSync(join(ROOT, file), 'utf8')));

/** A sample by seed, in the order drawn: a run that is cut short is a fair sample too. */
function draw(all: readonly Mutant[], { count, seed }: Options): Mutant[] {
  const { random } = makeLevers(seed);
  const left = [...all];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}

/** A copy of the work tree, with the template that some suites read. The copy, and a run in flight, end with this process. */
async function makeCopy(): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'realtime-push-mutants-'));
  process.on('exit', () => {
    if (running) endAll(running);
    rmSync(copy, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
  cpSync(ROOT, copy, { recursive: true, filter: (from) => from === ROOT || !NOT_COPIED.has(basename(from)) });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
  const assembly = await assemble({ settings: readSettings({ APP_PUSH_MODE: 'both' }, systems), systems });
  cpSync(dirname(assembly.templateFile), join(copy, 'cdk.out'), { recursive: true });
  assembly.remove();
  return copy;
}

let running: ChildProcess | null = null;

/** Ends the runner with its workers: one in an endless loop does not notice that its parent has gone. */
function endAll({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // they have ended
  }
}

async function runTests(copy: string, limitMs: number, args: readonly string[]): Promise<Run> {
  const began = Date.now();
  // a process group of its own, which can be ended as a whole
  const child = spawn(process.execPath, [VITEST, ...args, ...FLAGS], { cwd: copy, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endAll(child);
  }, limitMs);
  child.on('exit', () => endAll(child));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  running = null;
  const passed = output.includes('No test files found') ? 'unread' : 'survived';
  return { end: late ? 'timed out' : code === 0 ? passed : 'caught', output, ms: Date.now() - began };
}

async function tryOne(copy: string, mutant: Mutant, source: string, limitMs: number): Promise<End> {
  const file = join(copy, mutant.file);
  writeFileSync(file, mutated(source, mutant));
  const { end } = await runTests(copy, limitMs, ['related', mutant.file]);
  writeFileSync(file, source);
  return end;
}

const MOST_SHOWN = 90;

/** On one line, and only the beginning of a long text. */
function brief(code: string): string {
  const line = code.replace(/\s+/g, ' ');
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
}

/** The original line with the change in it: `if («a < b → true») return;`. */
function shown({ file, operator, start, end, text }: Mutant, source: string): string {
  const lineStart = source.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = `${source}\n`.indexOf('\n', end);
  const line = `${source.slice(lineStart, start).trimStart()}«${brief(source.slice(start, end))} → ${brief(text)}»${source.slice(end, lineEnd)}`;
  return `${file}:${source.slice(0, start).split('\n').length}  ${operator}:  ${line}`;
}

async function tryAll(options: Options): Promise<void> {
  const began = Date.now();
  const all = everyMutant(options.only);
  const drawn = draw(all, options);
  if (drawn.length === 0) throw new Error(`--only ${options.only}: nothing can be changed there`);
  const copy = await makeCopy();
  const unchanged = await runTests(copy, options.minutes * MINUTE_MS, ['run']);
  if (unchanged.end !== 'survived') throw new Error(`${unchanged.output}\nthe tests do not pass where nothing is changed`);
  console.log(`${drawn.length} of ${all.length} changes; the tests take ${Math.round(unchanged.ms / 1000)} s where nothing is changed`);
  const ends: End[] = [];
  for (const mutant of drawn) {
    if (Date.now() - began > options.minutes * MINUTE_MS) break;
    const source = readFileSync(join(copy, mutant.file), 'utf8');
    const end = await tryOne(copy, mutant, source, unchanged.ms * PATIENCE + GRACE_MS);
    ends.push(end);
    console.log(`${ends.length}/${drawn.length}  ${end.padEnd(9)}  ${shown(mutant, source)}`);
  }
  const numberOf = (which: End): number => ends.filter((end) => end === which).length;
  const noticed = numberOf('caught') + numberOf('timed out');
  const parts = ENDS.map((end) => `${numberOf(end)} ${end}`).join(', ');
  const minutes = Math.round((Date.now() - began) / MINUTE_MS);
  const cut = ends.length < drawn.length ? `, no time for ${drawn.length - ends.length} more` : '';
  console.log(`score: ${noticed} of ${ends.length} noticed (${parts}); seed ${options.seed}, ${minutes} min${cut}`);
}

try {
  await tryAll(readOptions());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

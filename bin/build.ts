/** Bundles every function, in one pass: `dist/functions/{name}/index.mjs`; and the page's scripts. `cdk.json` and `npm start` run it first. */
import './node-version.ts';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, stop } from 'esbuild';
import type { System } from '../core/channels/system.ts';
import { apiDocuments } from './api/documents.ts';
import { commandLine } from './command-line.ts';
import { loadSystems, SYSTEMS_MODULE, systemsModule } from './systems.ts';

const root = resolve(fileURLToPath(import.meta.url), '../..');
export const BUNDLES = join(root, 'dist/functions');

/** A file at the top of `functions/` is a Lambda function. `worker` is deployed once for each worker of the systems. */
export const functionNames = (): string[] =>
  readdirSync(join(root, 'functions'), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.slice(0, -3))
    .sort();

/** Puts another module in the place of `systems/index.ts`. That module may import the one it replaces. */
const withSystems = (path: string): Plugin => ({
  name: 'systems',
  setup({ onResolve }) {
    onResolve({ filter: /\/systems\/index\.ts$/ }, ({ importer }) => (importer === path ? undefined : { path }));
  },
});

/** Puts the JSON files of a folder, by name without `.json`, in the place of a system's module that exports `FILES`. */
function withFolders(systems: readonly System[], environment: NodeJS.ProcessEnv): Plugin {
  const replaced = systems.flatMap(({ folders = {} }) =>
    Object.entries(folders).flatMap(([setting, module]) =>
      environment[setting] ? [{ setting, module, folder: environment[setting] }] : [],
    ),
  );
  return {
    name: 'folders',
    setup({ onLoad }) {
      for (const { setting, module, folder } of replaced)
        onLoad({ filter: new RegExp(`/${module.replaceAll('.', '\\.')}$`) }, () => ({
          contents: `export const FILES = ${JSON.stringify(jsonFiles(setting, folder))};`,
          loader: 'ts',
        }));
    },
  };
}

/** The JSON files of a folder. Throws an error that names the setting. */
function jsonFiles(setting: string, folder: string): Readonly<Record<string, unknown>> {
  const path = resolve(folder);
  try {
    const names = readdirSync(path).filter((name) => name.endsWith('.json'));
    return Object.fromEntries(names.map((name) => [name.slice(0, -5), JSON.parse(readFileSync(join(path, name), 'utf8')) as unknown]));
  } catch (error) {
    throw new Error(`${setting}: expected a folder of JSON files, ${path}: ${(error as Error).message}`);
  }
}

/** Folders of which the bundles and the page are made. */
const SOURCES = ['client', 'core', 'functions', 'systems', 'web'];

/** A digest of the sources, and of the module that lists the systems (not of what that imports). The same checkout has the same one on any machine. */
export function buildId(systems: string = SYSTEMS_MODULE): string {
  const hash = createHash('sha256');
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  )
    .filter((name) => /\.(ts|js|json|css|html)$/.test(name))
    .map((name) => name.replaceAll('\\', '/'))
    .sort();
  for (const name of files) hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  return hash
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(readFileSync(systems))
    .digest('hex')
    .slice(0, 12);
}

export interface BuildOptions {
  /** The module that lists the systems. */
  readonly systems?: string;
  readonly outdir?: string;
}

/** Bundles every function: `{outdir}/{name}/index.mjs`. */
export async function buildFunctions({ systems = SYSTEMS_MODULE, outdir = BUNDLES }: BuildOptions = {}): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(functionNames().map((name) => [`${name}/index`, `functions/${name}.ts`])),
    outdir,
    plugins: [withSystems(systems), withFolders(await loadSystems(systems), process.env)],
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // the SDK's module build is a third smaller than the one Node would pick
    mainFields: ['module', 'main'],
    alias: {
      '@aws-sdk/credential-provider-node': './functions/adapters/lambda-credentials.ts',
      '@aws-sdk/endpoint-cache': './functions/adapters/no-endpoint-cache.ts',
    },
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
    define: { BUILD_ID: JSON.stringify(buildId(systems)) },
    logLevel: 'warning',
  });
}

/** Bundles the page's scripts and the client library, and puts the page's files and the API's documents beside the bundle of the function that serves them. */
async function buildPage({ systems = SYSTEMS_MODULE, outdir = BUNDLES }: BuildOptions): Promise<void> {
  const files = join(outdir, 'page/files');
  await build({
    absWorkingDir: root,
    entryPoints: { page: 'web/page.js', client: 'client/index.ts' },
    outdir: files,
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    logLevel: 'warning',
  });
  const documents = apiDocuments(await loadSystems(systems));
  for (const [name, document] of Object.entries(documents)) await writeFile(join(files, name), JSON.stringify(document));
  for (const name of ['index.html', 'page.css']) await copyFile(join(root, 'web', name), join(files, name));
}

export async function buildAll(options: BuildOptions = {}): Promise<void> {
  await Promise.all([buildFunctions(options), buildPage(options)]);
  // its service process has nothing more to do
  await stop();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  commandLine('usage: npm run build     bundles the functions and the page into dist/', {});
  const module = systemsModule(process.env);
  try {
    // says what is wrong with the module better than the bundler would
    await loadSystems(module);
    await buildAll({ systems: module });
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

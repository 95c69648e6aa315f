/** Builds the client library's package: `cd client && npm pack` runs it. Modules by esbuild, types by the compiler. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildAgent } from '../bin/build-agent.ts';

const ROOT = join(import.meta.dirname, '..');
const CLIENT = join(ROOT, 'client');
const OUT = join(CLIENT, 'dist');

rmSync(OUT, { recursive: true, force: true });
await build({
  absWorkingDir: CLIENT,
  entryPoints: ['index.ts', 'react.ts', 'cli.ts'],
  outdir: OUT,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  external: ['react', 'node:*'],
  logLevel: 'warning',
});
await buildAgent(join(OUT, 'agent.js'));
const folder = mkdtempSync(join(CLIENT, '.types-'));
try {
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: OUT, rootDir: CLIENT },
    include: [],
    files: ['../index.ts', '../react.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// the compiler leaves the names of sources in declarations
for (const name of readdirSync(OUT).filter((one) => one.endsWith('.d.ts'))) {
  const file = join(OUT, name);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
}
copyFileSync(join(ROOT, 'LICENSE'), join(CLIENT, 'LICENSE'));

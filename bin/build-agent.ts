import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles the host agent, with everything that it needs, into one file. */
export async function buildAgent(outfile: string): Promise<void> {
  await build({
    absWorkingDir: join(import.meta.dirname, '..'),
    entryPoints: ['bin/agent.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // packages in the older format ask for Node's modules by `require`
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    // native speed-ups that are not there
    external: ['bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  });
}

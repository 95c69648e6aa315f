import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** The suites that need neither bundles nor a local run: `npm run mutants` runs them for every change. */
export default defineConfig({
  // node_modules is shared with the work tree there
  cacheDir: '.vite',
  test: {
    ...base.test,
    include: ['test/{bin,core,functions,ports,systems}/**/*.test.ts'],
    exclude: [],
    globalSetup: [],
    // only the tables are read from it
    provide: { templateFile: 'cdk.out/RealtimePush.template.json' },
    // a change may make tests wait for ever, or fill the memory
    testTimeout: 15_000,
    hookTimeout: 15_000,
    execArgv: ['--max-old-space-size=1024'],
  },
});

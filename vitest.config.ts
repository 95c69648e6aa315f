import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // these need a browser or Python, or time: npm run test:clients, npm run soak
    exclude: ['test/clients/**', 'test/soak/**'],
    globalSetup: ['test/setup/assembly.ts'],
    setupFiles: ['test/setup/environment.ts'],
    testTimeout: 45_000,
    hookTimeout: 60_000,
    // every local run has threads of its own
    maxWorkers: 2,
  },
});

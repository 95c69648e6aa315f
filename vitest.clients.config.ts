import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Clients that need more than Node: a browser, Python. */
export default defineConfig({ test: { ...base.test, include: ['test/clients/**/*.test.ts'], exclude: [] } });

import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Long runs, whose memory is watched. `ROUNDS` says how long: `npm run soak`. */
export default defineConfig({ test: { ...base.test, include: ['test/soak/**/*.test.ts'], exclude: [], testTimeout: 24 * 3_600_000 } });

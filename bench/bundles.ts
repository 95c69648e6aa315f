/** The cost of a cold start: the size of each function's bundle, and the time of its import in a fresh process. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLES, buildAll, functionNames } from '../bin/build.ts';
import { readSettings } from '../bin/settings.ts';
import { ENV } from '../core/names.ts';
import { systems } from '../systems/index.ts';
import { quantile, table } from './print.ts';

const TRIES = 7;

const workers = systems.flatMap((system) => Object.keys(system.workers));

/** Every variable that a function may read at import, and the settings of a deployment. */
const ENVIRONMENT = {
  ...Object.fromEntries(Object.values(ENV).map((name) => [name, '1'])),
  // a worker's function looks its worker up
  [ENV.worker]: workers[0] ?? '',
  ...readSettings({}, systems),
};

export async function bundles(): Promise<void> {
  const deployed = functionNames().filter((name) => name !== 'worker' || workers.length > 0);
  await buildAll();
  const timed = (code: string): number => {
    const times = Array.from({ length: TRIES }, () =>
      Number(
        execFileSync(
          process.execPath,
          [
            '--input-type=module',
            '-e',
            // Lambda's runtime defines this global for response streaming
            `globalThis.awslambda={streamifyResponse:(h)=>h};const t=performance.now();${code};console.log(performance.now()-t)`,
          ],
          {
            encoding: 'utf8',
            env: {
              ...process.env,
              ...ENVIRONMENT,
              CALLBACK_URL: 'https://x.execute-api.local.amazonaws.com/ws',
              AWS_REGION: 'local',
              AWS_ACCESS_KEY_ID: 'x',
              AWS_SECRET_ACCESS_KEY: 'x',
              LOG_LEVEL: 'ERROR',
            },
          },
        )
          .trim()
          .split('\n')
          .at(-1),
      ),
    );
    return quantile(
      times.sort((a, b) => a - b),
      0.5,
    );
  };
  const rows = deployed.map((name) => {
    const file = join(BUNDLES, name, 'index.mjs');
    return [name, (statSync(file).size / 1024).toFixed(0), timed(`await import(${JSON.stringify(file)})`).toFixed(0)];
  });
  console.log(`\nbundles: minified KB, and the import in a fresh process, median of ${TRIES}`);
  table(['function', 'KB', 'import ms'], [['nothing (floor)', '0', timed("await import('node:https')").toFixed(0)], ...rows]);
}

/** Bundles and synthesises once for all test files, and starts the local run that the contract suites share. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { assemble } from '../../bin/assemble.ts';
import { readSettings } from '../../bin/settings.ts';
import { startLocal } from '../../local/run.ts';
import { systems } from '../../systems/index.ts';
import { NO_SESSION_TODAY } from '../helpers/market.ts';
import { unusedGrants } from './grants.ts';

declare module 'vitest' {
  interface ProvidedContext {
    templateFile: string;
    /** The deployment that the contract suites run against: the local run, or PUSH_URL. */
    baseUrl: string;
    publishKey: string;
    /** Where each local run leaves the grants that it used. */
    grantsFolder: string;
  }
}

const KEY = 'local-key';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

export async function setup(project: TestProject) {
  const settings = readSettings(
    {
      APP_PUSH_MODE: 'both',
      FRONT_DOOR: 'on',
      SSE_MAX_STREAMS: '1000',
      ACCOUNT_CONCURRENCY: '5000',
      ALLOW_ANONYMOUS_CONTROL: 'true',
      ...NO_SESSION_TODAY,
    },
    systems,
  );
  const assembly = await assemble({ settings, systems });
  project.provide('templateFile', assembly.templateFile);
  project.provide('publishKey', process.env['PUSH_KEY'] ?? KEY);
  const grantsFolder = mkdtempSync(join(tmpdir(), 'push-grants-'));
  project.provide('grantsFolder', grantsFolder);
  const given = process.env['PUSH_URL'];
  const run = given
    ? null
    : await startLocal({
        templateFile: assembly.templateFile,
        port: 0,
        awsPort: 0,
        dataDir: null,
        secret: KEY,
        log: (name, line) => report(name, line),
      });
  project.provide('baseUrl', given ?? run?.url ?? '');
  return async () => {
    const grants = await run?.grants();
    await run?.stop();
    assembly.remove();
    if (grants) {
      writeFileSync(join(grantsFolder, 'shared.json'), JSON.stringify(grants.used));
      const unused = unusedGrants(grants.all, grantsFolder);
      if (process.env['SHOW_GRANTS']) console.log(unused.join('\n'));
      if (await wasWhole(project)) failWith(unused);
    }
    rmSync(grantsFolder, { recursive: true, force: true });
  };
}

/** Whether every test file of `npm test` was run, and every test of it. */
async function wasWhole(project: TestProject): Promise<boolean> {
  if (basename(project.vite.config.configFile || '') !== 'vitest.config.ts') return false;
  const files = project.vitest.state.getFiles();
  return project.config.testNamePattern === undefined && files.length === (await project.globTestFiles()).testFiles.length;
}

/** An error here would be printed, and the run would count as passed: the exit code says it. */
function failWith(unused: readonly string[]): void {
  if (unused.length === 0) return;
  console.error(`no test used these grants: take them out of lib/, or test what needs them\n  ${unused.join('\n  ')}`);
  process.exitCode = 1;
}

/** Errors of the functions under test belong on the screen. */
function report(name: string, line: string): void {
  if (line.includes('"level":"ERROR"') || name === 'local') console.error(`${name}: ${line}`);
}

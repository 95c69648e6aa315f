/** Bundles and synthesises once for all test files, and starts the local run that the contract suites share. */
import type { TestProject } from 'vitest/node';
import { assemble } from '../../bin/assemble.ts';
import { readSettings } from '../../bin/settings.ts';
import { startLocal } from '../../local/run.ts';
import { systems } from '../../systems/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    templateFile: string;
    /** The deployment that the contract suites run against: the local run, or PUSH_URL. */
    baseUrl: string;
    publishKey: string;
  }
}

const KEY = 'local-key';

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

export async function setup(project: TestProject) {
  const settings = readSettings({ APP_PUSH_MODE: 'both', SSE_MAX_STREAMS: '1000', ALLOW_ANONYMOUS_CONTROL: 'true' }, systems);
  const assembly = await assemble({ settings, systems });
  project.provide('templateFile', assembly.templateFile);
  project.provide('publishKey', process.env['PUSH_KEY'] ?? KEY);
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
    await run?.stop();
    assembly.remove();
  };
}

/** Errors of the functions under test belong on the screen. */
function report(name: string, line: string): void {
  if (line.includes('"level":"ERROR"') || name === 'local') console.error(`${name}: ${line}`);
}

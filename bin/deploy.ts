/** `npm run deploy`: `cdk deploy`, but never open to everybody by accident. */
import './node-version.ts';
import { spawnSync } from 'node:child_process';
import { SETTING } from '../core/names.ts';
import { commandLine } from './command-line.ts';
import { readSettings } from './settings.ts';
import { loadSystems, systemsModule } from './systems.ts';

const USAGE = `usage: npm run deploy -- [options of cdk deploy]
settings are environment variables; docs/settings.md lists them all`;

const ALLOW = 'ALLOW_ANONYMOUS';

async function check(): Promise<string | null> {
  try {
    const settings = readSettings(process.env, await loadSystems(systemsModule(process.env)));
    if (settings[SETTING.authMode] !== 'none' || process.env[ALLOW] === 'true') return null;
    return `${SETTING.authMode} is none: anybody who knows the address could read every user's topics. Set ${SETTING.authMode}=jwt with ${SETTING.jwtIssuer} and ${SETTING.jwtAudience}, or say ${ALLOW}=true.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

// the options are those of cdk deploy
commandLine(USAGE, { strict: false, allowPositionals: true });
const problem = await check();
if (problem === null)
  process.exitCode = spawnSync('npx', ['--no', 'cdk', 'deploy', ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
else {
  console.error(problem);
  process.exitCode = 1;
}

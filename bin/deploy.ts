/** `npm run deploy`: `cdk deploy`, but never by accident for everybody. */
import { spawnSync } from 'node:child_process';
import { SETTING } from '../core/names.ts';
import { readSettings } from './settings.ts';

const ALLOW = 'ALLOW_ANONYMOUS';

function check(): string | null {
  try {
    const settings = readSettings(process.env);
    if (settings[SETTING.authMode] !== 'none' || process.env[ALLOW] === 'true') return null;
    return `${SETTING.authMode} is none: whoever knows the address could read every user's topics. Set ${SETTING.authMode}=jwt with ${SETTING.jwtIssuer} and ${SETTING.jwtAudience}, or say ${ALLOW}=true.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const problem = check();
if (problem === null)
  process.exitCode = spawnSync('npx', ['--no', 'cdk', 'deploy', ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
else {
  console.error(problem);
  process.exitCode = 1;
}

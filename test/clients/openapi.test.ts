/**
 * A property-based client, driven by the OpenAPI document that the deployment serves: no answer may be a fault, or one that the
 * document does not have. `PYTHON` names an interpreter that has schemathesis.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { tick } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';

const PYTHON = process.env['PYTHON'] ?? 'python3';
const RUN_MS = 150_000;

let own: OwnRun | undefined;
afterEach(async () => {
  await own?.run.stop();
  own = undefined;
});

async function drive({ url, key }: OwnRun, headers: readonly string[] = []): Promise<string> {
  const words = ['-m', 'schemathesis.cli', '--no-color', 'run', `${url}/api/openapi.json`, '--url', url];
  const given = [`x-api-key: ${key}`, ...headers].flatMap((header) => ['--header', header]);
  const bounds = [
    '--checks',
    'all',
    '--phases',
    'examples,coverage,fuzzing',
    '--max-examples',
    process.env['EXAMPLES'] ?? '40',
    '--seed',
    '1',
  ];
  const { stdout, stderr } = await promisify(execFile)(PYTHON, [...words, ...given, ...bounds], { timeout: RUN_MS, maxBuffer: 1e8 }).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  if (stderr.includes('No module named schemathesis'))
    throw new Error(
      `${PYTHON} lacks schemathesis: python3 -m venv .venv && .venv/bin/pip install schemathesis, then PYTHON=.venv/bin/python`,
    );
  return `${stdout}${stderr}`;
}

const QUOTED = ['005930', '000660'];

// without a front door the API has event streams in their finite form
test('whoever may do everything', { timeout: RUN_MS }, async () => {
  own = await runWith({ FRONT_DOOR: 'off', ALLOW_ANONYMOUS_CONTROL: 'true' });
  await own.publish(QUOTED.map((ticker, index) => tick(ticker, index + 1)));
  await own.run.settled();
  expect(await drive(own)).toMatch(/Test cases:\n {2}(\d+) generated, \1 passed/);
});

test('a user with a token', { timeout: RUN_MS }, async () => {
  own = await runWith({
    FRONT_DOOR: 'off',
    AUTH_MODE: 'jwt',
    JWT_ISSUER: LOCAL_ISSUER,
    JWT_AUDIENCE: LOCAL_AUDIENCE,
    JWT_JWKS_URI: LOCAL_JWKS_URI,
  });
  await own.publish(QUOTED.map((ticker, index) => tick(ticker, index + 1)));
  await own.run.settled();
  const token = await own.run.mint({ user: '0' });
  expect(await drive(own, [`authorization: Bearer ${token}`])).toMatch(/Test cases:\n {2}(\d+) generated, \1 passed/);
});

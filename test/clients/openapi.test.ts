/**
 * A property-based client, driven by the OpenAPI document that the deployment serves: no answer may be a fault, or one that the
 * document does not have. `PYTHON` names an interpreter that has schemathesis.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, expect, test } from 'vitest';
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

const folder = mkdtempSync(join(tmpdir(), 'push-schemathesis-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the client, with the identities of the document's security schemes. Fails if it made fewer cases than a run has. */
async function drive({ url, key }: OwnRun, token?: string): Promise<void> {
  const config = join(folder, 'schemathesis.toml');
  const identities = [`key = { api_key = "${key}" }`, ...(token === undefined ? [] : [`token = { bearer = "${token}" }`])];
  writeFileSync(config, `[auth.openapi]\n${identities.join('\n')}\n`);
  const words = ['-m', 'schemathesis.cli', '--config-file', config, '--no-color', 'run', `${url}/api/openapi.json`, '--url', url];
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
  const { stdout, stderr } = await promisify(execFile)(PYTHON.includes('/') ? resolve(PYTHON) : PYTHON, [...words, ...bounds], {
    cwd: folder,
    timeout: RUN_MS,
    maxBuffer: 1e8,
  }).catch((failed: { stdout: string; stderr: string }) => failed);
  if (stderr.includes('No module named schemathesis'))
    throw new Error(
      `${PYTHON} lacks schemathesis: python3 -m venv .venv && .venv/bin/pip install schemathesis, then PYTHON=.venv/bin/python`,
    );
  const [, generated, passed] = /Test cases:\n {2}([\d,]+) generated, ([\d,]+) passed/.exec(stdout) ?? [];
  expect(passed, `${stdout}${stderr}`).toBe(generated);
  expect(Number(generated?.replace(',', ''))).toBeGreaterThan(500);
  expect(stdout, 'the identity counts').not.toContain('Authentication failed');
}

const QUOTED = ['005930', '000660'];

// without a front door the API has event streams in their finite form
test('nobody who may do everything gets a fault or an undocumented answer', { timeout: RUN_MS }, async () => {
  own = await runWith({ FRONT_DOOR: 'off', ALLOW_ANONYMOUS_CONTROL: 'true' });
  await own.publish(QUOTED.map((ticker, index) => tick(ticker, index + 1)));
  await own.run.settled();
  await drive(own);
});

test('nor does a user with a token', { timeout: RUN_MS }, async () => {
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
  await drive(own, token);
});

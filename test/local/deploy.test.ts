/** `npm run deploy` asks for identity, so that no deployment opens users' topics to everybody by accident. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { PROCESS_MS } from '../helpers/within.ts';

const deploy = (environment: Record<string, string>) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bin/deploy.ts', '--version'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: PROCESS_MS,
  });

test('a deploy without identity is refused with the settings to choose from', () => {
  const { status, stderr } = deploy({ AUTH_MODE: '', ALLOW_ANONYMOUS: '' });

  expect(status).toBe(1);
  expect(stderr).toContain('AUTH_MODE=jwt');
  expect(stderr).toContain('ALLOW_ANONYMOUS=true');
});

test('a deploy with tokens but without issuer and audience is refused too', () => {
  const { status, stderr } = deploy({ AUTH_MODE: 'jwt', JWT_ISSUER: '', JWT_AUDIENCE: '' });

  expect(status).toBe(1);
  expect(stderr).toContain('JWT_ISSUER');
  expect(stderr).toContain('JWT_AUDIENCE');
});

test('a deploy with identity, or with anonymous access allowed, continues to the CDK', () => {
  const good: Record<string, string>[] = [
    { AUTH_MODE: 'none', ALLOW_ANONYMOUS: 'true' },
    { AUTH_MODE: 'jwt', JWT_ISSUER: 'https://login.example', JWT_AUDIENCE: 'push', ALLOW_ANONYMOUS: '' },
  ];
  for (const environment of good) {
    const { status, stdout } = deploy(environment);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
  }
});

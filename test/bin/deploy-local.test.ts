/** `npm run deploy:local` says what is wrong before it starts anything. `npm run test:emulator` runs it for real. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listen } from '../../local/base/listen.ts';

const deployLocal = (options: readonly string[], environment: Record<string, string> = {}) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/deploy-local.ts', ...options], {
    encoding: 'utf8',
    env: { ...process.env, AWS_ENDPOINT_URL: '', EMULATOR: '', PORT: '', ...environment },
  });
  return { status, stderr, stdout };
};

test.each<[string, string[], Record<string, string>, RegExp]>([
  ['an unknown emulator', ['--emulator', 'moto'], {}, /^there is no emulator "moto"; there are ministack and localstack\n$/],
  ['an unknown emulator in the environment', [], { EMULATOR: 'constructor' }, /^there is no emulator "constructor"/],
  ['a port that is none', ['--port', '80000'], {}, /^--port: expected a port from 0 to 65535, got "80000"\n$/],
  ['a wrong setting', [], { SSE_SECONDS: 'long' }, /SSE_SECONDS: expected/],
  [
    'an address that is none',
    ['--endpoint', 'nonsense'],
    {},
    /^--endpoint: expected an address such as http:\/\/localhost:4566, got "nonsense"\n$/,
  ],
  ['a folder without node', ['--node', 'no/such'], {}, /^--node: there is no node that runs in \/.*no\/such: /],
  ['an address where nothing answers', ['--endpoint', 'http://localhost:1'], {}, /^no emulator answers at http:\/\/localhost:1: /],
  ['LocalStack, which it does not start', ['--emulator', 'localstack', '--endpoint', 'http://localhost:1'], {}, /docker compose -f/],
])('%s', { timeout: 60_000 }, (_, options, environment, message) => {
  const { status, stderr } = deployLocal(options, environment);

  expect(stderr).toMatch(message);
  expect(status).toBe(1);
});

test.each([
  ['--emulator-port', (port: number) => `if that is an emulator, name it with --endpoint http://localhost:${port}`],
  ['--port', () => 'choose another with --port'],
])('a port of %s that is taken is named, with the ways out', { timeout: 60_000 }, async (option, advice) => {
  const other = createServer();
  const port = await listen(other, 0, '127.0.0.1');
  const { status, stderr } = deployLocal(['--port', '0', option, String(port)]);
  await new Promise((done) => other.close(done));

  expect(stderr).toContain(`port ${port} is taken: ${advice(port)}`);
  expect(status).toBe(1);
});

test('--help has every option', { timeout: 60_000 }, () => {
  const { status, stdout } = deployLocal(['--help']);

  for (const option of ['--emulator', '--endpoint', '--emulator-port', '--port', '--node']) expect(stdout).toContain(option);
  expect(status).toBe(0);
});

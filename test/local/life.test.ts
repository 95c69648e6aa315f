/** `npm start` as a process: it prints when it is ready, ends on Ctrl-C without leftovers, and keeps its data. */
import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { close, listen } from '../../local/base/listen.ts';
import { tick } from '../helpers/events.ts';
import { hostAt } from '../helpers/host.ts';
import { dataFolder, start, stopAll } from '../helpers/start.ts';

afterEach(stopAll);

describe('npm start', { timeout: 240_000 }, () => {
  test('says what it is doing and how long it took, serves once it prints ready, and leaves no open port after Ctrl-C', async () => {
    const local = start({});
    const url = await local.ready();

    const lines = local.output().split('\n');
    for (const step of ['bundling the functions', 'synthesising the template', 'starting tables, queues and functions'])
      expect(lines.filter((line) => line.startsWith(step))).toEqual([expect.stringMatching(/ … \d+\.\d s$/)]);
    expect(lines.find((line) => line.startsWith('ready'))).toMatch(/after \d+\.\d s$/);
    expect((await fetch(`${url}/api/health`)).status).toBe(200);
    local.end('SIGINT');

    expect(await local.exited()).toBe(0);
    await expect(fetch(`${url}/api/health`)).rejects.toThrow();
  });

  test('with DATA_DIR keeps its quotes over a restart', async () => {
    const dataDir = dataFolder();
    const first = start({ DATA_DIR: dataDir });
    const before = hostAt(await first.ready(), 'local-key');
    await before.publish([tick('005930', 158_600)]);
    const quote = await before.eventually(
      () => before.get('/internal/price/005930'),
      ({ status }) => status === 200,
    );
    first.end('SIGINT');
    await first.exited();

    const second = start({ DATA_DIR: dataDir });
    const after = hostAt(await second.ready(), 'local-key');

    expect((await after.get('/internal/price/005930')).body).toEqual(quote.body);
    second.end('SIGINT');
    await second.exited();
  });

  test('fails if its port is taken, with the port and the setting to change', async () => {
    const other = createServer();
    const port = await listen(other, 0, '127.0.0.1');
    const local = start({ PORT: String(port) });

    expect(await local.exited()).toBe(1);
    expect(local.output()).toContain(`port ${port} is taken`);
    expect(local.output(), 'before it begins').not.toContain('bundling');
    expect(local.output()).toContain('PORT=');
    await close(other);
  });

  test('takes its settings as options too, which win over the environment', async () => {
    const local = start({ PORT: '1', HOST: '0.0.0.0' }, ['--port', '0', '--host', '127.0.0.1', '--demo=off', '--verbose']);
    const url = await local.ready();

    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect((await fetch(`${url}/api/health`)).status).toBe(200);
    const token = await fetch(`${url}/local/token`, { method: 'POST', body: '{"user":"1"}' });
    expect(token.status, 'without identity there is no issuer').toBe(404);
    expect(local.output(), 'this opens nothing').not.toContain('HOST=');
    local.end('SIGINT');
    await local.exited();
  });

  test('with HOST listens there, and says what that opens', async () => {
    const local = start({ HOST: '0.0.0.0', AUTH_MODE: 'jwt' });
    const url = await local.ready();

    const { port } = new URL(url);
    expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/local/token`, { method: 'POST', body: '{"user":"1"}' })).status).toBe(200);
    expect(local.output()).toMatch(
      /^HOST=0\.0\.0\.0: whoever reaches that address can publish .*, and get a token for any user and role$/m,
    );
    local.end('SIGINT');
    await local.exited();
  });

  test('--help lists the options, and an unknown one is refused', async () => {
    const help = start({}, ['--help']);
    expect(await help.exited()).toBe(0);
    for (const option of ['--port', '--host', '--aws-port', '--data-dir', '--demo', '--verbose']) expect(help.output()).toContain(option);

    const unknown = start({}, ['--prot', '9000']);
    expect(await unknown.exited()).toBe(1);
    expect(unknown.output()).toContain("Unknown option '--prot'");
  });

  test('on an old Node says so at once', async () => {
    const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.8"})';
    const local = start({}, [], ['--import', old]);

    expect(await local.exited()).toBe(1);
    expect(local.output()).toContain('needs Node 20.19 or newer, and this is 18.20.8');
  });

  test('fails if HOST is not of this machine', async () => {
    const local = start({ HOST: '192.0.2.1' });

    expect(await local.exited()).toBe(1);
    expect(local.output()).toContain('HOST=192.0.2.1 is no address of this machine');
  });

  test.each([
    ['PORT', 'eighty'],
    ['AWS_PORT', '70000'],
    ['VERBOSE', 'yes'],
    ['DEMO', 'perhaps'],
    ['MAX_CONNECTIONS', '-1'],
  ])('fails with %s=%s, and prints the values it expects', async (name, value) => {
    const local = start({ [name]: value });

    expect(await local.exited()).toBe(1);
    expect(local.output()).toContain(`${name}: expected`);
  });
});

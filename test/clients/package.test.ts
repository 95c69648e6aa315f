/** The packed client library, used from an empty project as a user has it: from Node, TypeScript, a bundler, React, and a shell. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../core/version.ts';
import { freshTicker, tick } from '../helpers/events.ts';
import { sharedHost } from '../helpers/host.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const host = sharedHost();
const run = promisify(execFile);
const project = mkdtempSync(join(tmpdir(), 'push-project-'));
const write = (name: string, text: string): string => {
  const file = join(project, name);
  writeFileSync(file, text);
  return file;
};

beforeAll(() => {
  const npm = (words: string[], cwd: string) => execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  npm(['pack', '--pack-destination', project], join(ROOT, 'client'));
  write('package.json', JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  npm(['install', '--no-audit', '--no-fund', '--offline', `./realtime-push-client-${VERSION}.tgz`], project);
  // what a project has of its own
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  for (const name of [
    'react',
    'react-dom',
    'scheduler',
    'ws',
    '@types/react',
    '@types/react-dom',
    '@types/node',
    'undici-types',
    'csstype',
  ])
    if (existsSync(join(ROOT, 'node_modules', name))) symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
}, 120_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

test('it has the version of the deployment, no dependency, and is what publint expects', async () => {
  const { version, dependencies } = JSON.parse(readFileSync(join(project, 'node_modules/realtime-push-client/package.json'), 'utf8'));
  expect([version, dependencies]).toEqual([VERSION, undefined]);
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: join(project, 'node_modules/realtime-push-client'), strict: true });
  expect(messages).toEqual([]);
});

test('in Node a script follows a price', async () => {
  const ticker = freshTicker();
  await host.publish([tick(ticker, 70_000)]);
  const file = write(
    'node.js',
    `import { WebSocket } from 'ws';
    import { createClient } from 'realtime-push-client';
    const client = createClient({ url: '${host.url}', env: { WebSocket } });
    client.watch('price:${ticker}', ({ data }) => { console.log(data.price); client.close(); });
    client.start();`,
  );
  const { stdout } = await run(process.execPath, [file], { cwd: project, timeout: 20_000 });
  expect(stdout).toBe('70000\n');
});

test('from a shell', async () => {
  const ticker = freshTicker();
  await host.publish([tick(ticker, 70_000)]);
  const listen = (...words: string[]) => run('npx', ['--no-install', 'realtime-push', ...words], { cwd: project, timeout: 30_000 });
  const { stdout } = await listen('listen', `price:${ticker}`, '--url', host.url, '--count', '1');
  expect(JSON.parse(stdout)).toMatchObject({ type: 'price_update', ticker, data: { price: 70_000 } });
  await expect(listen('listen')).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('name at least one topic') });
  await expect(listen('listen', 'no:such', '--url', host.url)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no channel'),
  });
  expect((await listen('--help')).stdout).toContain('usage: realtime-push listen');
});

test('TypeScript knows the messages of each topic, and refuses what is wrong', async () => {
  write(
    'tsconfig.json',
    JSON.stringify({
      compilerOptions: {
        strict: true,
        module: 'nodenext',
        target: 'es2022',
        noEmit: true,
        jsx: 'react-jsx',
        skipLibCheck: false,
        lib: ['es2022', 'dom'],
      },
      files: ['good.tsx'],
    }),
  );
  write(
    'good.tsx',
    `import { createClient, type Alert } from 'realtime-push-client';
    import { Provider, useLatest, useLog } from 'realtime-push-client/react';
    const client = createClient({ url: 'http://localhost:8000' });
    client.watch('price:005930', ({ data }) => { const price: number = data.price; console.log(price); });
    client.follow('ops:alert', (alert: Alert) => console.log(alert.data.title), { last: 5 });
    // @ts-expect-error a price has no title
    client.watch('price:005930', ({ title }) => console.log(title));
    declare module 'realtime-push-client' { interface OwnTopics { 'orders:new': { id: string } } }
    client.follow('orders:new', ({ id }) => console.log(id.length));
    function Price() { return <b>{useLatest('price:005930')?.data.price} {useLog('ops:alert').length}</b>; }
    export const App = () => <Provider client={client}><Price /></Provider>;`,
  );
  const tsc = run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project], { cwd: project });
  await tsc.catch(({ stdout }: { stdout: string }) => expect.fail(stdout));
}, 60_000);

test('every example of docs/client.md compiles', async () => {
  const text = readFileSync(join(ROOT, 'docs/client.md'), 'utf8');
  const examples = [...text.matchAll(/```(tsx?)\n([\s\S]*?)```/g)].map(([, language = '', code = ''], index) => {
    const name = `example-${index}.${language}`;
    write(name, code);
    return name;
  });
  expect(examples.length).toBeGreaterThan(6);
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2022', noEmit: true, jsx: 'react-jsx', lib: ['es2022', 'dom'] };
  write('tsconfig.examples.json', JSON.stringify({ compilerOptions, files: examples }));
  const tsc = run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(project, 'tsconfig.examples.json')], {
    cwd: project,
  });
  await tsc.catch(({ stdout }: { stdout: string }) => expect.fail(stdout));
}, 60_000);

test('in a browser, in React’s strict mode, bundled; and imported on a server', async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}: install it (apt-get install chromium), or name another with CHROMIUM=…`);
  const ticker = freshTicker();
  await host.publish([tick(ticker, 70_000)]);
  write(
    'app.jsx',
    `import { createElement, StrictMode } from 'react';
    import { createClient } from 'realtime-push-client';
    import { Provider, useLatest, useStatus } from 'realtime-push-client/react';
    const client = createClient({ url: '${host.url}' });
    const Price = () => createElement('b', null, useStatus() + ' ' + useLatest('price:${ticker}')?.data.price);
    export const App = () => createElement(StrictMode, null, createElement(Provider, { client }, createElement(Price)));`,
  );
  write(
    'page.jsx',
    `import { createRoot } from 'react-dom/client'; import { createElement } from 'react'; import { App } from './app.jsx'; createRoot(document.body).render(createElement(App));`,
  );
  write(
    'server.jsx',
    `import { renderToString } from 'react-dom/server'; import { createElement } from 'react'; import { App } from './app.jsx'; console.log(renderToString(createElement(App)));`,
  );
  const bundle = (name: string, platform: 'browser' | 'node') =>
    build({
      absWorkingDir: project,
      entryPoints: [name],
      bundle: true,
      write: false,
      platform,
      format: platform === 'node' ? 'cjs' : 'esm',
      preserveSymlinks: true,
      define: { 'process.env.NODE_ENV': '"development"' },
    });
  const server = await bundle('server.jsx', 'node');
  const { stdout } = await run(process.execPath, [write('server.cjs', server.outputFiles[0]?.text ?? '')], { cwd: project });
  expect(stdout).toBe('<b>idle undefined</b>\n');

  const script = (await bundle('page.jsx', 'browser')).outputFiles[0]?.text ?? '';
  const pages = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><meta charset="utf-8"><body></body><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(`http://127.0.0.1:${(pages.address() as { port: number }).port}/`);
    await host.eventually(
      () => page.textContent('body'),
      (text) => text === 'live 70000',
    );
    await host.publish([tick(ticker, 70_100)]);
    await host.eventually(
      () => page.textContent('body'),
      (text) => text === 'live 70100',
    );
    expect(sockets).toHaveLength(1);
  } finally {
    await browser.close();
    pages.close();
  }
}, 60_000);

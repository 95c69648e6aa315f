/** The examples, each as a user runs it, against a local run. Needs Python (`PYTHON`), Chromium, Java and Maven. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { alert, freshId, freshTicker, rank, settled, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { slowLink } from '../helpers/slow-link.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');
const PYTHON = process.env['PYTHON'] ?? 'python3';
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const exec = promisify(execFile);

let own: OwnRun;
let environment: NodeJS.ProcessEnv;
const folder = mkdtempSync(join(tmpdir(), 'push-examples-'));
beforeAll(async () => {
  own = await ownRun();
  environment = {
    ...process.env,
    PUSH_URL: own.url,
    PUSH_KEY: own.key,
    BUS: own.run.busName,
    AWS_ENDPOINT_URL: own.run.awsUrl,
    AWS_REGION: 'local',
    AWS_DEFAULT_REGION: 'local',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
  };
});
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGTERM');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await own.run.stop();
});

/** A program that goes on, and what it has printed. */
function start(command: string, words: readonly string[], more: NodeJS.ProcessEnv = {}): { output(): string; child: ChildProcess } {
  const child = spawn(command, words, { cwd: ROOT, env: { ...environment, ...more }, detached: true });
  running.push(child);
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  child.once('error', (error) => (output += error.message));
  return { output: () => output, child };
}
const printed = ({ output }: { output(): string }, claim: (text: string) => boolean) => own.eventually(async () => output(), claim);
const run = async (command: string, words: readonly string[], cwd = ROOT): Promise<string> =>
  (await exec(command, words, { cwd, env: environment, timeout: 240_000 })).stdout;
const priceOf = async (ticker: string): Promise<unknown> =>
  own.eventually(
    async () => (await own.get(`/internal/price/${ticker}`)).body['price'],
    (price) => price !== undefined,
  );

test('Node follows topics with the library', async () => {
  await own.publish([alert({ title: 'for the follower' })]);
  // a project finds the package in its node_modules; here it is bundled from the sources
  const outfile = join(ROOT, 'dist', `follow-${process.pid}.mjs`);
  await build({
    entryPoints: [join(EXAMPLES, 'node/follow.mjs')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['ws'],
    alias: { 'realtime-push-client': join(ROOT, 'client/index.ts') },
    outfile,
  });
  try {
    const follow = start(process.execPath, [outfile, 'ops:alert']);
    await printed(follow, (text) => text.includes('for the follower'));
  } finally {
    rmSync(outfile, { force: true });
  }
});

test('Node publishes over HTTP, and onto the bus with the AWS SDK', async () => {
  const [first, second] = [freshTicker(), freshTicker()];
  expect(await run(process.execPath, ['examples/node/publish-http.mjs', first, '71000'])).toContain('202');
  expect(await priceOf(first)).toBe(71_000);
  expect(await run(process.execPath, ['examples/node/publish-bus.mjs', second, '72000'])).toBe('published\n');
  expect(await priceOf(second)).toBe(72_000);
});

test('Python follows over JSON and over STOMP, and comes back after a loss', async () => {
  const [seatId, userId] = [freshId(), freshId()];
  const topic = `/topic/reservations/${seatId}/${userId}`;
  const network = await slowLink(own.url, 0);
  const programs = ['follow.py', 'stomp_follow.py'].map((name) =>
    start(PYTHON, ['-u', join(EXAMPLES, 'python', name), topic], { PUSH_URL: network.url }),
  );
  const publish = (second: number) => own.publish([settled(seatId, userId, 'SUCCESS', { timestamp: `2026-02-19T01:21:0${second}.000Z` })]);
  await own.eventually(
    async () => own.logs.filter((line) => line.includes('"subscribe"') && line.includes(topic)).length,
    (subscribed) => subscribed === 2,
  );
  // the line comes before the subscription stands
  await own.run.settled();
  await publish(1);
  for (const program of programs) await printed(program, (text) => text.includes('01:21:01'));
  network.cut();
  await publish(2);
  for (const program of programs) await printed(program, (text) => text.includes('01:21:02'));
  await network.stop();
});

test('Python publishes onto the bus', async () => {
  const ticker = freshTicker();
  expect(await run(PYTHON, ['examples/python/publish_bus.py', ticker, '73000'])).toBe('published\n');
  expect(await priceOf(ticker)).toBe(73_000);
});

test('curl follows a stream, reads a quote with its position, and publishes', async () => {
  const [userId, concertId, ticker] = [freshId(), freshId(), freshTicker()];
  const stream = start(join(EXAMPLES, 'curl/stream.sh'), [String(userId), String(concertId)]);
  await printed(stream, (text) => text.includes('UNKNOWN'));
  await own.publish([rank(concertId, userId, 12), tick(ticker, 74_000)]);
  await printed(stream, (text) => text.includes('"rank":12'));
  await priceOf(ticker);
  expect(await run(join(EXAMPLES, 'curl/quote.sh'), [ticker])).toMatch(/^push-position: \w+-1\r\n\{.*"price":74000/);
  expect(await run(join(EXAMPLES, 'curl/deployment.sh'), ['42', 'deployment_started', '0', 'it begins'])).toContain('"accepted":1');
  expect(await run(join(EXAMPLES, 'curl/publish.sh'), [String(userId), '55', 'FAIL'])).toContain('"accepted":1');
});

test('the bridge turns a feed into prices, over losses of the feed', async () => {
  const feed = start(process.execPath, [join(EXAMPLES, 'bridge/fake-feed.mjs')], { PORT: '0' });
  const url = /ready (\S+)/.exec(await printed(feed, (text) => text.includes('ready')))?.[1] ?? '';
  const bridge = start(process.execPath, [join(EXAMPLES, 'bridge/bridge.mjs')], { FEED_URL: url });
  await printed(bridge, (text) => text.split('reading').length > 2);
  const volumeOf = async () => Number((await own.get('/internal/price/005930')).body['volume'] ?? 0);
  const before = await volumeOf();
  await own.eventually(volumeOf, (volume) => volume > before);
  expect(bridge.output()).toContain('not a tick: heartbeat');
  expect(bridge.output()).not.toContain('rejected');
  const ended = new Promise((done) => bridge.child.once('exit', done));
  bridge.child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('Kotlin with OkHttp passes the conformance scripts, and its client misses nothing', { timeout: 300_000 }, async () => {
  const out = await run('mvn', ['-q', '-B', 'compile', 'exec:java', `-Dexec.args=${own.url} ${own.key}`], join(EXAMPLES, 'kotlin')).catch(
    (error: Error & { stdout?: string }) => expect.fail(`${error.message}\n${error.stdout ?? ''}`),
  );
  expect(out).toContain('ok      PushClient');
  expect(out).not.toContain('failed');
});

test('Spring Boot publishes onto the bus with the AWS SDK for Java', { timeout: 300_000 }, async () => {
  const [userId, seatId] = [freshId(), freshId()];
  await own.post('/api/push/websocket/reservations/subscriptions', { userId, seatId });
  const place = join(EXAMPLES, 'spring-boot');
  await run('mvn', ['-q', '-B', 'package', '-DskipTests'], place);
  const out = await run('java', ['-jar', 'target/spring-boot-1.jar', `--user=${userId}`, `--seat=${seatId}`], place);
  expect(out).toContain('published');
  await own.eventually(
    () => own.get(`/api/reservations/v5/subscribe?userId=${userId}&seatId=${seatId}&once=1&format=json`),
    ({ body }) => (body['messages'] as unknown[]).length === 1,
  );
});

test('the page of the README, opened as a file, shows live prices', { timeout: 60_000 }, async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}: install it (apt-get install chromium), or name another with CHROMIUM=…`);
  for (const name of ['README.md', 'README.ko.md']) {
    const html = /```html\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, name), 'utf8'))?.[1] ?? '';
    writeFileSync(join(folder, 'prices.html'), html.replaceAll('http://localhost:8000', own.url));
    await own.publish([tick('005930', 76_000)]);
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(pathToFileURL(join(folder, 'prices.html')).href);
      await own.eventually(
        async () => (await page.textContent('#price')) ?? '',
        (text) => text === '76000',
      );
    } finally {
      await browser.close();
    }
  }
});

test('the page in 20 lines and the React board show live prices', { timeout: 60_000 }, async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}: install it (apt-get install chromium), or name another with CHROMIUM=…`);
  await own.publish([tick('005930', 75_000, { timestamp: new Date(Date.now() + 4_000).toISOString() }), alert({ title: 'on the board' })]);
  await build({
    entryPoints: [join(EXAMPLES, 'react/main.jsx')],
    bundle: true,
    jsx: 'automatic',
    outfile: join(folder, 'main.js'),
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { 'realtime-push-client/react': join(ROOT, 'client/react.ts'), 'realtime-push-client': join(ROOT, 'client/index.ts') },
  });
  const pages = createServer(({ url = '' }, response) => {
    if (url === '/main.js') response.setHeader('content-type', 'text/javascript').end(readFileSync(join(folder, 'main.js')));
    else if (url.startsWith('/react'))
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><meta charset="utf-8"><div id="root"></div><script src="/main.js"></script>');
    else response.setHeader('content-type', 'text/html').end(readFileSync(join(EXAMPLES, 'browser/index.html')));
  });
  await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    for (const path of ['/', '/react']) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(pages.address() as { port: number }).port}${path}?url=${own.url}`);
      await own.eventually(
        async () => (await page.textContent('body')) ?? '',
        (text) => text.includes('75,000') && text.includes('live') && (path === '/' || text.includes('on the board')),
      );
      await page.close();
    }
  } finally {
    await browser?.close();
    pages.close();
  }
});

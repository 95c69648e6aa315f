/** The client library in a real browser: what a browser does to connections that no imitation does. */
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshId, freshTicker, settled, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';
import { type SlowLink, slowLink } from '../helpers/slow-link.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

let own: OwnRun;
/** The way to the run, which can be cut. */
let network: SlowLink;
let browser: Browser;
let pages: Server;
let origin: string;
/** Of the pages that are served. */
let policy: string | null = null;

beforeAll(async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}: install it (apt-get install chromium), or name another with CHROMIUM=…`);
  own = await ownRun();
  network = await slowLink(own.url, 0);
  pages = createServer((_, response) => {
    if (policy) response.setHeader('content-security-policy', policy);
    response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html><title>page</title><p>page</p>');
  });
  await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    // the driver turns it off
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  pages?.close();
  await network?.stop();
  await own?.run.stop();
});

/** A page with a client, whose doings are globals. */
async function open(path: string, program: string): Promise<{ page: Page; failures: string[] }> {
  const page = await browser.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  await page.goto(origin + path);
  await page.evaluate(`(async () => {
    const { createClient } = await import('${network.url}/client.js');
    window.statuses = []; window.got = []; window.errors = [];
    window.client = createClient({ url: '${network.url}' });
    client.on('status', (status) => statuses.push(status));
    client.on('error', ({ code }) => errors.push(code));
    ${program}
    client.start();
  })()`);
  return { page, failures };
}
const statusOf = (page: Page) => () => page.evaluate<string>('client.status');
const gotOf = (page: Page) => () => page.evaluate<unknown[]>('got');
const isLive = (status: string): boolean => status === 'live';

test('"back" to a page goes on with its positions, and its connection was closed meanwhile (7)', { timeout: 60_000 }, async () => {
  const [seatId, userId] = [freshId(), freshId()];
  const publish = (second: number) =>
    own.publish([settled(seatId, userId, 'SUCCESS', { timestamp: `2026-02-19T01:21:${10 + second}.000Z` })]);
  const { page, failures } = await open(
    '/',
    `client.follow('/topic/reservations/${seatId}/${userId}', ({ timestamp }) => got.push(timestamp)); window.born = Math.random();`,
  );
  await own.eventually(statusOf(page), isLive);
  await publish(1);
  await own.eventually(gotOf(page), (got) => got.length === 1);
  const born = await page.evaluate('born');
  await page.goto(`${origin}/elsewhere`);
  await own.eventually(
    async () => own.run.connections(),
    (open) => open === 0,
  );
  await publish(2);
  await page.goBack({ waitUntil: 'commit' });
  // the very page, and not a new one
  expect(await page.evaluate('window.born')).toBe(born);
  await own.eventually(gotOf(page), (got) => got.length === 2);
  expect(failures).toEqual([]);
  await page.close();
});

test('a Content-Security-Policy that forbids the connection is a failure to connect, and nothing else (19)', {
  timeout: 60_000,
}, async () => {
  policy = `default-src 'self' 'unsafe-inline' 'unsafe-eval' ${network.url}; connect-src 'self'`;
  try {
    const { page, failures } = await open('/', `client.watch('price:005930', () => undefined);`);
    await own.eventually(
      () => page.evaluate<string[]>('statuses'),
      (statuses) => statuses.includes('waiting'),
    );
    expect(failures).toEqual([]);
    await page.close();
  } finally {
    policy = null;
  }
});

test('a page that was frozen shows the newest price, and every message of its log', { timeout: 60_000 }, async () => {
  const ticker = freshTicker();
  const [seatId, userId] = [freshId(), freshId()];
  const { page, failures } = await open(
    '/',
    `client.watch('price:${ticker}', ({ data }) => (window.price = data.price));
     client.follow('/topic/reservations/${seatId}/${userId}', ({ timestamp }) => got.push(timestamp));`,
  );
  await own.eventually(statusOf(page), isLive);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  const stamps = Array.from({ length: 200 }, (_, index) => new Date(Date.UTC(2026, 1, 19) + index).toISOString());
  for (let index = 0; index < 200; index += 20) {
    await own.publish(stamps.slice(index, index + 20).map((timestamp) => settled(seatId, userId, 'SUCCESS', { timestamp })));
    await own.publish([tick(ticker, 70_000 + index)]);
  }
  // the network goes while nobody looks
  network.cut();
  await own.publish([tick(ticker, 71_000)]);
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });
  await own.eventually(gotOf(page), (got) => got.length === 200);
  expect(new Set(await gotOf(page)()).size).toBe(200);
  await own.eventually(
    () => page.evaluate('window.price'),
    (price) => price === 71_000,
  );
  expect(failures).toEqual([]);
  await page.close();
});

test('a dead network is found out when the page comes back to it (3)', { timeout: 60_000 }, async () => {
  const ticker = freshTicker();
  const { page, failures } = await open('/', `client.watch('price:${ticker}', ({ data }) => (window.price = data.price));`);
  await own.eventually(statusOf(page), isLive);
  await page.context().setOffline(true);
  await own.publish([tick(ticker, 72_000)]);
  network.cut();
  await page.context().setOffline(false);
  await own.eventually(
    () => page.evaluate('window.price'),
    (price) => price === 72_000,
  );
  expect(failures).toEqual([]);
  await page.close();
});

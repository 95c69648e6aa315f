/** A browser with its own EventSource and WebSocket, and the live page. `CHROMIUM` names another browser than the system's. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_JWKS_URI } from '../../local/issuer.ts';
import { addAgent, agentHome } from '../helpers/agent.ts';
import { activated, alert, freshId, freshTicker, listed, log, logEntry, rank, settled, status, tick } from '../helpers/events.ts';
import { type OwnRun, runWith } from '../helpers/local.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

let own: OwnRun;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  if (!existsSync(CHROMIUM))
    throw new Error(`there is no ${CHROMIUM}: install it (apt-get install chromium), or name another with CHROMIUM=…`);
  own = await runWith({ SSE_SECONDS: '5', ALLOW_ANONYMOUS_CONTROL: 'true' });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  page = await browser.newPage();
  await page.goto(own.url);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await own?.run.stop();
});

test("the browser's EventSource gets every event over reconnects, also those from before its first one", {
  timeout: 60_000,
}, async () => {
  const [userId, seatId] = [freshId(), freshId()];
  await page.evaluate(`
    var received = [], opened = 0, source = new EventSource('/api/reservations/v5/subscribe?userId=${userId}&seatId=${seatId}');
    source.addEventListener('open', () => { opened++; });
    source.addEventListener('RESERVATION_STATUS', ({ lastEventId }) => received.push(lastEventId.split('-')[1]));
  `);
  const opened = () => page.evaluate<number>('opened');
  const received = () => page.evaluate<string[]>('received');
  await own.eventually(opened, (times) => times === 1);

  // streams end after 5 s here: some events fall between two streams
  for (let count = 1; count <= 40; count++) {
    await own.publish([settled(seatId, userId, 'SUCCESS')]);
    await own.eventually(received, (found) => found.length >= count);
  }

  expect(await received()).toEqual(Array.from({ length: 40 }, (_, index) => String(index + 1)));
  expect(await opened()).toBeGreaterThan(1);
  await page.evaluate('source.close()');
});

test('the live page follows its buyer over STOMP and over event streams', { timeout: 60_000 }, async () => {
  /** Both sides of the page show the text. */
  const bothShow = async (what: 'place' | 'seat', text: string) => {
    for (const side of ['stomp', 'sse']) {
      await own.eventually(
        () => page.textContent(`#${side}-${what}`),
        (shown) => (shown ?? '').includes(text),
      );
    }
  };
  await own.publish([rank(1, 100, 41)]);
  await bothShow('place', '41');
  await own.publish([activated(1, 100, 60)]);
  await bothShow('place', 'ACTIVE');
  await own.publish([settled(55, 100, 'FAIL')]);
  await bothShow('seat', 'FAIL');
});

test('the live page shows the status, alerts and the log without subscribing', { timeout: 60_000 }, async () => {
  const shows = (place: string, text: string) =>
    own.eventually(
      () => page.textContent(place),
      (shown) => (shown ?? '').includes(text),
    );
  await shows('#ops-state', 'live');
  await own.publish([
    status({ cpu_percent: 12.3, uptime: 90_000 }),
    alert({ title: 'an alert' }),
    log({ entries: [logEntry('WARNING', 'a line')] }),
  ]);

  await shows('#ops-cpu-text', '12.3 %');
  await shows('#ops-uptime', '1 d 1 h');
  await shows('#ops-alerts', 'an alert');
  await shows('#ops-log', 'a line');
  await shows('#ops-latency', 'ms');
  expect(await page.evaluate('document.getElementById("ops-cpu").value')).toBe(12.3);
});

test("the live page's buttons restart, stop and start a service of an agent", { timeout: 60_000 }, async () => {
  const home = await agentHome();
  try {
    const key = await addAgent(own.run, 'web-1', ['posco_news']);
    const service = { command: [process.execPath, '-e', 'setInterval(() => 0, 1e6)'] };
    home.config({ agent: 'web-1', url: own.url, key, services: { posco_news: service } });
    home.start();
    const row = '#ops-service-list tr';
    const cell = (index: number) => page.textContent(`${row} td:nth-child(${index})`).catch(() => '');
    const shows = (index: number, claim: (text: string) => boolean) =>
      own.eventually(
        () => cell(index),
        (text) => claim(text ?? ''),
      );
    await shows(2, (text) => text === 'running');
    const before = await cell(3);
    const press = (action: string) => page.click(`${row} button[data-action=${action}]`);
    await press('restart');
    await shows(3, (text) => /^\d+$/.test(text) && text !== before);
    const again = await cell(3);
    const actions = [{ label: 'Restart it', action: 'restart:posco_news' }];
    await own.publish([alert({ title: 'it is slow', actions: [...actions, { label: 'Look', action: 'view_processes' }] })]);
    await page.click('#ops-alerts button');
    await shows(3, (text) => /^\d+$/.test(text) && text !== again);
    expect(await page.locator('#ops-alerts button').allTextContents()).toEqual(['Restart it']);
    await press('stop');
    await shows(2, (text) => text === 'stopped');
    await press('start');
    await shows(2, (text) => text === 'running');
  } finally {
    await home.remove();
  }
});

test('on a phone the prices come first, and each can be read without scrolling sideways', { timeout: 60_000 }, async () => {
  const ticker = freshTicker();
  await own.publish([listed({ ticker, name: 'A share with quite a long name' }), tick(ticker, 107_237_323)]);
  const phone = await browser.newPage({ viewport: { width: 375, height: 740 } });
  await phone.goto(own.url);
  await own.eventually(
    () => phone.textContent('#quotes'),
    (text) => (text ?? '').includes('107,237,323'),
  );

  const places = await phone.evaluate<Record<string, number>>(`(() => {
    const top = (id) => document.getElementById(id).getBoundingClientRect().top;
    const cell = [...document.querySelectorAll('#quotes td')].find((one) => one.textContent === '107,237,323').getBoundingClientRect();
    return { prices: top('prices'), way: top('way'), operations: top('operations'), left: cell.left, right: cell.right, page: document.documentElement.scrollWidth };
  })()`);

  expect(places['prices']).toBeLessThan(Math.min(Number(places['way']), Number(places['operations'])));
  expect(places['left']).toBeGreaterThan(0);
  expect(places['right']).toBeLessThanOrEqual(375);
  expect(places['page']).toBe(375);
  await phone.close();
});

test('what the page says of a failure goes when the failure has gone, and a server that is away is no missing token', {
  timeout: 60_000,
}, async () => {
  const other = await runWith({});
  const blip = await browser.newPage();
  const shows = (place: string, text: string) =>
    own.eventually(
      () => blip.textContent(place),
      (shown) => shown === text,
    );
  try {
    await blip.goto(other.url);
    await shows('#state', 'live');
    await blip.route('**/internal/prices', (route) => route.abort());
    await shows('#state', 'not connected, trying again …');
    await blip.unroute('**/internal/prices');
    await shows('#state', 'live');
  } finally {
    await other.run.stop();
  }
  for (const place of ['#state', '#ops-state', '#stomp-state']) await shows(place, 'not connected, trying again …');
  expect(await blip.textContent('body')).not.toContain('Failed to fetch');
  expect(await blip.textContent('body')).not.toContain('token');
  await blip.close();
});

test("with identity, tickets let the browser's own EventSource and WebSocket in, also when they open again", {
  timeout: 60_000,
}, async () => {
  const jwt = await runWith({
    SSE_SECONDS: '5',
    AUTH_MODE: 'jwt',
    JWT_ISSUER: LOCAL_ISSUER,
    JWT_AUDIENCE: LOCAL_AUDIENCE,
    JWT_JWKS_URI: LOCAL_JWKS_URI,
  });
  const guest = await browser.newPage();
  try {
    await guest.goto(jwt.url);
    const userId = freshId();
    const token = await jwt.run.mint({ user: String(userId) });
    await guest.evaluate(`
      var ranks = [], frames = [], opened = 0;
      (async () => {
        const ticket = async () => (await (await fetch('/api/push/tickets', { method: 'POST', headers: { authorization: 'Bearer ${token}' } })).json()).ticket;
        const source = new EventSource('/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=1&ticket=' + await ticket());
        source.addEventListener('open', () => { opened++; });
        for (const name of ['INIT', 'RANK_UPDATE']) source.addEventListener(name, ({ data }) => ranks.push(JSON.parse(data).rank));
        const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws?ticket=' + await ticket());
        socket.onopen = () => socket.send(JSON.stringify({ type: 'subscribe', topic: '/topic/waiting-queue/1/${userId}' }));
        socket.onmessage = ({ data }) => frames.push(data);
      })();
    `);
    await jwt.eventually(
      () => guest.evaluate<string>('frames.join()'),
      (frames) => frames.includes('"subscribed"'),
    );
    await jwt.eventually(
      () => guest.evaluate<number>('opened'),
      (times) => times > 1,
    );
    await jwt.publish([rank(1, userId, 12)]);
    await jwt.eventually(
      () => guest.evaluate<number[]>('ranks'),
      (ranks) => ranks.includes(12),
    );
    await jwt.eventually(
      () => guest.evaluate<string>('frames.join()'),
      (frames) => frames.includes('"rank":12'),
    );
  } finally {
    await guest.close();
    await jwt.run.stop();
  }
});

test('the page shows the metrics of the run, and its alarms', { timeout: 60_000 }, async () => {
  const shows = (place: string, claim: (text: string) => boolean) =>
    own.eventually(
      () => page.textContent(place),
      (text) => claim(text ?? ''),
    );
  for (let minute = 0; minute < 10; minute++) {
    own.run.clock.advance(60_000);
    await own.run.settled();
  }
  /** Of the last ten minutes. */
  const points = (name: string) =>
    own.run.metrics
      .all()
      .filter((one) => one.name === name)
      .flatMap((one) => one.points)
      .filter(({ atMs }) => atMs > own.run.clock.now() - 600_000);
  const sum = (name: string) => points(name).reduce((all, point) => all + point.sum, 0);
  const average = (name: string) => Math.round(sum(name) / points(name).reduce((all, { count }) => all + count, 0));
  const counted = own.run.metrics.all().find(({ name }) => name === 'LiveConnections')?.points ?? [];
  await shows('#metrics-connections', (text) => text === String(counted.at(-1)?.maximum));
  await shows('#metrics-in', (text) => text === sum('MessagesIn').toLocaleString('en-US'));
  await shows('#metrics-out', (text) => sum('MessagesOut') > 0 && text === sum('MessagesOut').toLocaleString('en-US'));
  await shows('#metrics-errors', (text) => text === sum('Errors').toLocaleString('en-US'));
  await shows('#metrics-bytes', (text) => text === `${(sum('BytesOut') / 1000).toFixed(1)} KB`);
  await shows('#metrics-posts', (text) => text === (sum('Posts') / sum('MessagesOut')).toFixed(2));
  await shows('#metrics-answer', (text) => text === `${average('AnswerTime')} ms`);
  await shows('#metrics-duration', (text) => text === `${average('Duration')} ms`);
  await shows('#metrics-alarms', (text) => /^none of \d+ raised$/.test(text));
});

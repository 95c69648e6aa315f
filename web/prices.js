// @ts-check
/** Prices: quotes over REST first, then every update over the socket. */
import { AWAY, giveUp, isRefused, listen, send } from './socket.js';

const STALE_MS = 300_000;
const REFRESH_MS = 5_000;
/** Limit of topics in one message. */
const TOPICS_AT_ONCE = 400;

/** @typedef {{ ticker: string, name?: string, price: number, change: number, change_rate: number, timestamp: string, source: string, stale: boolean, halted: boolean }} Quote */

/** @type {Map<string, { quote: Quote, row: HTMLTableRowElement }>} */
const shown = new Map();
/** @type {Map<string, string>} last position by topic, to resume from after a reconnect */
const positions = new Map();
const won = new Intl.NumberFormat('en');
const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

let live = false;
let away = false;
let updates = 0;
/** Why the quotes could not be read, until they can. */
let failure = '';

/** Says how things stand now: nothing that is over stays on the page. */
function showState() {
  const text = failure || (live ? 'live' : away ? AWAY : 'connecting …');
  // screen readers announce a status again whenever it is set
  if (element('state').textContent !== text) element('state').textContent = text;
}

/** @param {import('./page.js').Access} access */
async function load(access) {
  const response = await fetch('/internal/prices', { headers: access.headers }).catch(() => {
    throw new Error(AWAY);
  });
  if (response.status === 401) giveUp();
  if (!response.ok) throw new Error(response.status === 401 ? access.hint : `quotes: ${response.status}`);
  /** @type {{ prices: Record<string, Quote> }} */
  const { prices } = await response.json();
  for (const quote of Object.values(prices).sort((a, b) => a.ticker.localeCompare(b.ticker))) {
    // the socket may have delivered a newer quote meanwhile
    const known = shown.get(quote.ticker)?.quote;
    const newer = known && Date.parse(known.timestamp) > Date.parse(quote.timestamp);
    show(newer ? { ...quote, ...known, name: quote.name } : quote, false);
  }
  element('empty').hidden = shown.size > 0;
  return Object.keys(prices).map((ticker) => `price:${ticker}`);
}

/** @param {Quote} quote @param {boolean} flash */
function show(quote, flash) {
  const before = shown.get(quote.ticker);
  const row = before?.row ?? /** @type {HTMLTableSectionElement} */ (element('quotes')).insertRow();
  const known = { ...before?.quote, ...quote };
  shown.set(quote.ticker, { quote: known, row });
  const direction = known.change > 0 ? 'up' : known.change < 0 ? 'down' : '';
  const when = known.source === 'daily' ? known.timestamp : new Date(known.timestamp).toLocaleTimeString();
  const state = [known.halted ? 'halted' : '', known.stale ? 'stale' : ''].filter(Boolean).join(', ');
  const cells = [
    [known.ticker, ''],
    [known.name ?? '', 'extra'],
    [won.format(known.price), `number ${direction}`],
    [`${known.change > 0 ? '+' : ''}${won.format(known.change)}`, `number extra ${direction}`],
    [known.change_rate.toFixed(2), `number ${direction}`],
    [when, 'extra'],
    [known.source, 'quiet extra'],
    [state, 'extra'],
  ];
  row.className = known.stale ? 'stale' : '';
  row.replaceChildren(
    ...cells.map(([text = '', kind = '']) => {
      const cell = document.createElement('td');
      cell.textContent = text;
      cell.className = kind;
      // where name and state have no columns of their own, they stand below the ticker
      if (text === known.ticker) cell.dataset['name'] = [known.name, state].filter(Boolean).join(' · ');
      return cell;
    }),
  );
  if (!flash) return;
  void row.offsetWidth; // restarts the animation
  row.classList.add('fresh');
}

/** @param {any} message */
function receive(message) {
  if (message.type !== 'price_update') return;
  if (message.position) positions.set(`price:${message.ticker}`, message.position);
  updates++;
  const daily = !message.timestamp.includes('T');
  const stale = message.data.stale ?? false;
  show(
    { halted: false, ...message.data, stale, ticker: message.ticker, timestamp: message.timestamp, source: daily ? 'daily' : 'realtime' },
    true,
  );
  element('empty').hidden = true;
}

/** Marks quotes without recent updates as stale. */
function age() {
  for (const { quote } of shown.values()) {
    if (quote.source === 'realtime' && !quote.stale && Date.now() - Date.parse(quote.timestamp) > STALE_MS)
      show({ ...quote, stale: true }, false);
  }
  element('counts').textContent = `· ${shown.size} tickers · ${won.format(updates)} updates`;
}

/** @type {Set<string>} */
let subscribed = new Set();

/** @param {string[]} topics */
function subscribe(topics) {
  const wanted = topics.filter((topic) => !subscribed.has(topic));
  if (!live) return;
  for (let from = 0; from < wanted.length; from += TOPICS_AT_ONCE) {
    const named = wanted.slice(from, from + TOPICS_AT_ONCE);
    for (const topic of named) subscribed.add(topic);
    const since = Object.fromEntries(named.flatMap((topic) => (positions.has(topic) ? [[topic, positions.get(topic)]] : [])));
    send('subscribe', { topics: named, since });
  }
}

/**
 * Loads quotes over REST, and subscribes to each new ticker. The next refresh retries a failure.
 * @param {import('./page.js').Access} access
 */
function refresh(access) {
  if (isRefused()) return;
  load(access)
    .then((topics) => {
      failure = '';
      subscribe(topics);
    })
    .catch((error) => {
      failure = String(error.message ?? error);
    })
    .finally(showState);
}

/** @param {import('./page.js').Access} access */
export function startPrices(access) {
  refresh(access);
  listen({
    opened() {
      live = true;
      subscribed = new Set();
      showState();
      refresh(access);
    },
    received: receive,
    closed() {
      live = false;
      away = true;
      showState();
    },
  });
  setInterval(age, 1000);
  setInterval(refresh, REFRESH_MS, access);
}

/**
 * A bridge: the ticks of an upstream's WebSocket feed become `PricesTicked`. It reconnects to the feed, keeps the newest tick
 * of each ticker while it cannot publish, and publishes a batch at a time: a price is a state, and the newest wins.
 *
 *   FEED_URL=ws://localhost:9000 PUSH_URL=http://localhost:8000 PUSH_KEY=local-key node examples/bridge/bridge.mjs
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

const FEED = process.env.FEED_URL ?? 'ws://localhost:9000';
const PUSH = process.env.PUSH_URL ?? 'http://localhost:8000';
const KEY = process.env.PUSH_KEY ?? 'local-key';

/** A request takes so many quotes. Fewer requests cost less; a tick waits at most this long, in ms. */
const BATCH = 500;
const WAIT_MS = 100;
/** A feed that says nothing for so long is taken for dead, in ms. */
const SILENCE_MS = 30_000;

/** The newest tick of each ticker that was not published yet. */
const waiting = new Map();
let stopped = false;

/** A message of this feed as a quote; `null` if it is none. Write your own for another feed. */
function quoteOf(text) {
  const { code, price, diff, rate, volume, bid, ask, time } = JSON.parse(text);
  // feeds send a price of 0 for "no trade"
  if (!/^[0-9A-Z]{6}$/.test(code ?? '') || !(price > 0)) return null;
  return { ticker: code, price, change: diff, change_rate: rate, volume, bid_price: bid, ask_price: ask, timestamp: time };
}

/** The connection to the feed, and the end of all waits. */
let feed = null;
const ending = new AbortController();

/** Reads the feed until it ends. */
function read() {
  return new Promise((done) => {
    const socket = new WebSocket(FEED);
    feed = socket;
    let silence;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => socket.terminate(), SILENCE_MS);
    };
    heard();
    socket.on('open', () => console.log(`reading ${FEED}`));
    socket.on('message', (data) => {
      heard();
      try {
        const quote = quoteOf(String(data));
        if (quote) waiting.set(quote.ticker, quote);
      } catch (error) {
        console.error(`not a tick: ${String(data).slice(0, 100)} (${error.message})`);
      }
    });
    socket.on('error', (error) => console.error(`the feed: ${error.message}`));
    socket.on('close', () => {
      clearTimeout(silence);
      done();
    });
  });
}

/** Publishes what is waiting. What comes meanwhile is newer, and stays. */
async function publish() {
  const quotes = [...waiting.values()].slice(0, BATCH);
  if (quotes.length === 0) return;
  const response = await fetch(`${PUSH}/internal/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY },
    body: JSON.stringify({ events: [{ source: 'market.price', detailType: 'PricesTicked', detail: { quotes } }] }),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  // a request that cannot be repaired is not repeated; everything else is
  if (response.status >= 500 || response.status === 429) throw new Error(`${response.status}: ${text}`);
  for (const quote of quotes) if (waiting.get(quote.ticker) === quote) waiting.delete(quote.ticker);
  const { rejected = [] } = response.ok ? JSON.parse(text) : {};
  for (const { error_message } of rejected) console.error(`rejected: ${error_message}`);
  if (!response.ok) console.error(`refused: ${response.status} ${text}`);
}

async function publishing() {
  for (let failures = 0; !stopped || waiting.size > 0; ) {
    try {
      await publish();
      failures = 0;
    } catch (error) {
      console.error(`publishing: ${error.message}`);
      if (stopped) return;
      failures++;
    }
    await sleep(failures === 0 ? WAIT_MS : Math.random() * Math.min(20_000, 500 * 2 ** failures));
  }
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    stopped = true;
    ending.abort();
    feed?.terminate();
  });
const published = publishing();
for (let failures = 0; !stopped; failures++) {
  const began = Date.now();
  await read();
  if (Date.now() - began > 10_000) failures = 0;
  // Ctrl-C ends the wait
  if (!stopped)
    await sleep(Math.random() * Math.min(20_000, 1_000 * 2 ** failures), undefined, { signal: ending.signal }).catch(() => undefined);
}
await published;

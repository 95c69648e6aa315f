/**
 * The demo's price feed: real daily rates replayed with an invented bridge between the days, and a few
 * Korean shares with invented prices. It publishes through the public API, like every upstream.
 */
import type { LocalClock } from '../base/clock.ts';
import { makeLevers } from '../base/levers.ts';
import { MARKET, type OutgoingEvent, type PriceNow, postEvents, tickDetail } from '../publisher.ts';
import { bridge } from './bridge.ts';
import { readRates } from './rates.ts';
import { repeat } from './repeat.ts';

export interface DemoOptions {
  readonly url: string;
  readonly key: string;
  readonly warn: (message: string) => void;
  readonly clock: Pick<LocalClock, 'now' | 'after'>;
  /** For reading prices, if the deployment requires a token. */
  readonly token?: string;
}

const TICK_MS = 500;
/** A day of rates takes two minutes. */
const STEPS_A_DAY = 240;
/** About one in this many tickers changes at each step. */
const EVERY = 5;

/** After another publisher changed a ticker, the demo leaves it alone for this long. */
const LEFT_ALONE_MS = 30_000;

/** Korean shares: ticker, name, previous close. Their prices are invented. */
const SHARES: readonly (readonly [string, string, number])[] = [
  ['005930', '삼성전자', 159_300],
  ['000660', 'SK하이닉스', 129_000],
  ['035420', 'NAVER', 214_500],
];
const OLD = { ticker: '000020', name: '동화약품', date: '2023-10-05', price: 9_730 };
const HALTED = { ticker: '005935', name: '삼성전자우', price: 121_400 };

/** The prices of one ticker over the days. */
interface Series {
  readonly ticker: string;
  readonly name: string;
  priceAt(step: number): PriceNow;
}

/** Starts publishing. Returns a function that stops it. */
export function startDemo({ url, key, warn, token, clock }: DemoOptions): () => Promise<void> {
  const series = [...SHARES.map(([ticker, name, close]) => shareSeries(ticker, name, close)), ...readRates().map(rateSeries)];
  const { random } = makeLevers(20260829);
  let step = 0;

  const publish = async (events: readonly OutgoingEvent[], isStopped: () => boolean): Promise<void> => {
    try {
      const { rejected } = await postEvents(url, key, events);
      for (const { error_message } of rejected) warn(error_message);
    } catch (error) {
      if (!isStopped()) warn(error instanceof Error ? error.message : String(error));
    }
  };
  const tick = async (isStopped: () => boolean): Promise<void> => {
    if (step++ === 0) return publish(opening(series, clock.now()), isStopped);
    const now = clock.now();
    const taken = await others(now);
    const quotes = series
      .filter(({ ticker }) => random() < 1 / EVERY && !taken.has(ticker))
      .map((one) => tickDetail(one.priceAt(step), now));
    for (const { ticker, timestamp } of quotes) published.set(ticker, timestamp);
    if (quotes.length > 0) await publish([{ source: MARKET, detailType: 'PricesTicked', detail: { quotes } }], isStopped);
  };
  /** Tickers to leave alone: halted ones, and those that another publisher has just changed. */
  const others = async (now: number): Promise<Set<string>> => {
    const prices = await readPrices(url, token).catch(() => ({}));
    const taken = Object.entries(prices).filter(([ticker, { timestamp, halted }]) => {
      const foreign = published.has(ticker) && timestamp > (published.get(ticker) ?? '');
      return halted || (foreign && now - Date.parse(timestamp) < LEFT_ALONE_MS);
    });
    return new Set(taken.map(([ticker]) => ticker));
  };
  /** Timestamp of the demo's own last price, by ticker. */
  const published = new Map<string, string>();
  return repeat(clock, TICK_MS, tick);
}

async function readPrices(url: string, token?: string): Promise<Record<string, { timestamp: string; halted: boolean }>> {
  const response = await fetch(
    new URL('/internal/prices', url),
    token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } },
  );
  // optional: without these prices, the demo may overwrite those of other publishers
  if (response.status !== 200) return {};
  return ((await response.json()) as { prices: Record<string, { timestamp: string; halted: boolean }> }).prices;
}

/** The first events: the list of tickers, an old close, a halted share, and a price for each ticker. */
function opening(series: readonly Series[], nowMs: number): OutgoingEvent[] {
  const yesterday = new Date(nowMs - 86_400_000).toISOString().slice(0, 10);
  const close = (ticker: string, price: number, date: string): OutgoingEvent => ({
    source: MARKET,
    detailType: 'DailyClosed',
    detail: { ticker, date, price, change: 0, change_rate: 0, volume: 0 },
  });
  const tickers = [...series, OLD, HALTED].map(({ ticker, name }) => ({ ticker, name }));
  return [
    { source: MARKET, detailType: 'TickersListed', detail: { tickers } },
    close(OLD.ticker, OLD.price, OLD.date),
    close(HALTED.ticker, HALTED.price, yesterday),
    {
      source: MARKET,
      detailType: 'TradingHalted',
      detail: { ticker: HALTED.ticker, reason: 'demo', timestamp: new Date(nowMs).toISOString() },
    },
    { source: MARKET, detailType: 'PricesTicked', detail: { quotes: series.map((one) => tickDetail(one.priceAt(0), nowMs)) } },
  ];
}

function rateSeries({ ticker, name, won }: ReturnType<typeof readRates>[number]): Series {
  const seed = seedOf(ticker);
  return {
    ticker,
    name,
    priceAt(step) {
      const day = Math.floor(step / STEPS_A_DAY) % (won.length - 1);
      const [from = 0, to = 0] = won.slice(day, day + 2);
      const path = bridge(from, to, STEPS_A_DAY, seed + day);
      return { ticker, price: path[step % STEPS_A_DAY] ?? from, previousClose: from, volume: volumeAt(step, seed) };
    },
  };
}

/** A share wanders around its previous close, on a new path every day of the demo. */
function shareSeries(ticker: string, name: string, close: number): Series {
  const seed = seedOf(ticker);
  return {
    ticker,
    name,
    priceAt(step) {
      const path = bridge(close, close, STEPS_A_DAY, seed + Math.floor(step / STEPS_A_DAY));
      // the tick size of shares at these prices is 100 won
      const price = Math.round((path[step % STEPS_A_DAY] ?? close) / 100) * 100;
      return { ticker, price, previousClose: close, volume: volumeAt(step, seed) };
    },
  };
}

const volumeAt = (step: number, seed: number): number => (step % STEPS_A_DAY) * (1_000 + (seed % 90_000));

const seedOf = (ticker: string): number => [...ticker].reduce((sum, character) => (Math.imul(sum, 31) + character.charCodeAt(0)) >>> 0, 7);

import * as v from 'valibot';
import { eventTime, orderOf } from '../base/ordering.ts';
import { isoOf } from '../base/time.ts';
import { thinPoints } from '../history.ts';
import { seoulDate, sessionClose } from '../market-hours.ts';
import { type Freshness, formatPoint, isStale, type QuoteParts, type StoredHalt, type StoredPrice } from '../quote.ts';
import { A_DAY, type Channel, type EventMeta, eventType, instant, ownTime, type StateCommit } from './channel.ts';
import { integer, wholeNumber } from './ids.ts';

/** `docs/protocol.md`, "REST". */
export const TICKER = /^[0-9A-Z]{6}$/;

const TOPIC = /^price:([0-9A-Z]{6})$/;
/** The catalogue's name for what `TickersListed` lists. */
export const PRICE_CHANNEL = 'price';

export const priceTopic = (ticker: string): string => `price:${ticker}`;
export const tickerOf = (topic: string): string => topic.slice('price:'.length);

const ticker = v.pipe(v.string(), v.regex(TICKER, 'a ticker is six digits or capital letters, such as 005930'));
/** Per cent. What is too small for the tables' numbers is no change at all. */
const rate = v.pipe(
  v.number(),
  v.minValue(-1e9),
  v.maxValue(1e9),
  v.transform((percent) => (Math.abs(percent) < 1e-12 ? 0 : percent)),
);
const day = v.pipe(
  v.string(),
  v.check((text) => sessionClose(text) !== null, 'expected a date, YYYY-MM-DD'),
);

const tick = v.object({
  ticker,
  price: wholeNumber,
  change: integer,
  change_rate: rate,
  volume: wholeNumber,
  bid_price: wholeNumber,
  ask_price: wholeNumber,
  timestamp: v.optional(instant),
});
const daily = v.object({ ticker, date: day, price: wholeNumber, change: integer, change_rate: rate, volume: wholeNumber });
const halting = v.object({ ticker, reason: v.optional(v.pipe(v.string(), v.maxLength(200)), ''), timestamp: v.optional(instant) });
const listing = v.object({
  tickers: v.pipe(v.array(v.object({ ticker, name: v.pipe(v.string(), v.maxLength(100)) })), v.minLength(1), v.maxLength(5_000)),
});

/** On a tie a tick stands above a daily close: the close replaces it only where it is later. */
const RANK = { daily: 0, tick: 1 } as const;

/** `place` is where the quote stands in its event: of the same time, the later one wins. */
function tickCommit(detail: v.InferOutput<typeof tick>, meta: EventMeta, place = 0): StateCommit {
  const { atMicros, ahead } = eventTime(ownTime(detail.timestamp, meta), meta.acceptedAtMs);
  const atMs = Math.floor(atMicros / 1000);
  const given = detail.timestamp ?? meta.time;
  const value: StoredPrice = {
    price: detail.price,
    change: detail.change,
    change_rate: detail.change_rate,
    volume: detail.volume,
    bid_price: detail.bid_price,
    ask_price: detail.ask_price,
    timestamp: ahead || given === null ? isoOf(atMs) : given,
    source: 'realtime',
    atMs,
  };
  return {
    kind: 'state',
    topic: priceTopic(detail.ticker),
    part: 'price',
    order: orderOf({ atMicros, acceptedAtMs: meta.acceptedAtMs, index: meta.index * 1000 + place, id: meta.id, rank: RANK.tick }),
    value,
    recent: formatPoint(atMs, detail.price),
    ahead,
  };
}

function dailyCommit(detail: v.InferOutput<typeof daily>, meta: EventMeta): StateCommit {
  const close = sessionClose(detail.date) as number;
  const { atMicros, ahead } = eventTime(close * 1000, meta.acceptedAtMs);
  const value: StoredPrice = {
    price: detail.price,
    change: detail.change,
    change_rate: detail.change_rate,
    volume: detail.volume,
    bid_price: detail.price,
    ask_price: detail.price,
    timestamp: ahead ? seoulDate(meta.acceptedAtMs) : detail.date,
    source: 'daily',
    atMs: Math.floor(atMicros / 1000),
  };
  return {
    kind: 'state',
    topic: priceTopic(detail.ticker),
    part: 'price',
    order: orderOf({ atMicros, acceptedAtMs: meta.acceptedAtMs, index: meta.index, id: meta.id, rank: RANK.daily }),
    value,
    recent: null,
    ahead,
  };
}

function haltCommit(halted: boolean, detail: v.InferOutput<typeof halting>, meta: EventMeta): StateCommit {
  const { atMicros, ahead } = eventTime(ownTime(detail.timestamp, meta), meta.acceptedAtMs);
  const value: StoredHalt = { halted, reason: detail.reason, timestamp: isoOf(Math.floor(atMicros / 1000)) };
  return {
    kind: 'state',
    topic: priceTopic(detail.ticker),
    part: 'halt',
    order: orderOf({ atMicros, acceptedAtMs: meta.acceptedAtMs, index: meta.index, id: meta.id }),
    value,
    recent: null,
    ahead,
  };
}

/** KRX prices: a state topic a ticker, `price:{ticker}`; its newest message is the quote that REST tells. */
export const priceChannel = (fresh: Freshness): Channel => ({
  name: PRICE_CHANNEL,
  kind: 'state',
  source: 'market.price',
  matches: (topic) => TOPIC.test(topic),
  topicHint: 'price:{ticker}, the ticker six digits or capital letters',
  thinRecent: thinPoints,
  lifeMs: null,
  catalogued: true,
  events: {
    PriceTicked: eventType(tick, (detail, meta) => [tickCommit(detail, meta)]),
    PricesTicked: eventType(v.object({ quotes: v.pipe(v.array(tick), v.minLength(1), v.maxLength(500)) }), ({ quotes }, meta) =>
      quotes.map((quote, place) => tickCommit(quote, meta, place)),
    ),
    DailyClosed: eventType(daily, (detail, meta) => [dailyCommit(detail, meta)]),
    TradingHalted: eventType(halting, (detail, meta) => [haltCommit(true, detail, meta)]),
    TradingResumed: eventType(halting, (detail, meta) => [haltCommit(false, detail, meta)]),
    TickersListed: eventType(listing, ({ tickers }) => [
      { kind: 'listing', channel: PRICE_CHANNEL, entries: tickers.map((entry) => ({ topic: priceTopic(entry.ticker), name: entry.name })) },
    ]),
  },
  filtering: null,
  history: A_DAY,
  broadcast: null,
  permits: () => true,
  permitHint: 'is for everybody',
  keepsAlive: false,
  http: null,
  payload({ topic, parts, nowMs, retold }) {
    const { price, halt } = parts as QuoteParts;
    if (!price) return null;
    const stale = isStale(price, nowMs, fresh);
    return {
      type: 'price_update',
      ticker: tickerOf(topic),
      data: {
        price: price.price,
        change: price.change,
        change_rate: price.change_rate,
        volume: price.volume,
        bid_price: price.bid_price,
        ask_price: price.ask_price,
        // said where it says something: an ordinary tick has the six fields above and no more
        ...(halt ? { halted: halt.halted } : {}),
        ...(stale || retold ? { stale } : {}),
      },
      timestamp: price.timestamp,
    };
  },
});

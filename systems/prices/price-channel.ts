import * as v from 'valibot';
import { integer, wholeNumber } from '../../core/base/numbers.ts';
import { instant, optional } from '../../core/base/validation.ts';
import type { Committed } from '../../core/channels/channel.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { ANYONE } from '../../core/channels/permits.ts';
import { text } from '../../core/channels/topic-pattern.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { appendPoint, thinned } from './history.ts';
import { seoulDate, sessionClose } from './market-hours.ts';
import { isStale, type QuoteParts, type StoredHalt, type StoredPrice } from './quote.ts';
import { freshness } from './settings.ts';

/** `docs/protocol.md`, "REST". */
export const TICKER = /^[0-9A-Z]{6}$/;

/** The catalogue's name for the tickers that are known or expected. */
export const PRICE_CHANNEL = 'price';

export const priceTopic = (ticker: string): string => `price:${ticker}`;
export const tickerOf = (topic: string): string => topic.slice('price:'.length);

const ticker = v.pipe(v.string(), v.regex(TICKER, 'a ticker is six digits or capital letters, such as 005930'));
/** Per cent. A rate that is too small for the tables' numbers is no change at all. */
const rate = v.pipe(
  v.number(),
  v.minValue(-1e9),
  v.maxValue(1e9),
  v.transform((percent) => (Math.abs(percent) < 1e-12 ? 0 : percent)),
);
const day = v.pipe(
  v.string(),
  v.check((date) => sessionClose(date) !== null, 'expected a date, YYYY-MM-DD'),
);

/** Feeds send 0 for *no trade*, which is no price. */
const paid = v.pipe(integer, v.minValue(1, 'expected 1 or more'));

const tick = v.object({
  ticker,
  price: paid,
  change: integer,
  change_rate: rate,
  volume: wholeNumber,
  bid_price: wholeNumber,
  ask_price: wholeNumber,
  timestamp: optional(instant),
});
const ticks = v.object({ quotes: v.pipe(v.array(tick), v.minLength(1), v.maxLength(500)) });
const daily = v.object({ ticker, date: day, price: paid, change: integer, change_rate: rate, volume: wholeNumber });
const halting = v.object({ ticker, reason: optional(v.pipe(v.string(), v.maxLength(200)), ''), timestamp: optional(instant) });
const listing = v.object({
  tickers: v.pipe(v.array(v.object({ ticker, name: v.pipe(v.string(), v.maxLength(100)) })), v.minLength(1), v.maxLength(5_000)),
});

/** Of equal time a tick wins over a daily close: the close replaces it only if it is later. */
const RANK = { daily: 0, tick: 1 } as const;

const tickDraft = ({ ticker: of, timestamp, ...numbers }: v.InferOutput<typeof tick>) => ({
  topic: { ticker: of },
  part: 'price' as const,
  rank: RANK.tick,
  timestamp,
  append: ({ ms }: EventTime) => appendPoint(ms, numbers.price),
  value: ({ given, iso, ms }: EventTime): StoredPrice => ({ ...numbers, timestamp: given ?? iso, source: 'realtime', atMs: ms }),
});

const dailyDraft = ({ ticker: of, date, ...numbers }: v.InferOutput<typeof daily>) => ({
  topic: { ticker: of },
  part: 'price' as const,
  rank: RANK.daily,
  timestamp: new Date(sessionClose(date) as number).toISOString(),
  value: ({ given, ms }: EventTime): StoredPrice => ({
    ...numbers,
    bid_price: numbers.price,
    ask_price: numbers.price,
    timestamp: given === null ? seoulDate(ms) : date,
    source: 'daily',
    atMs: ms,
  }),
});

const haltDraft =
  (halted: boolean) =>
  ({ ticker: of, reason, timestamp }: v.InferOutput<typeof halting>) => ({
    topic: { ticker: of },
    part: 'halt' as const,
    timestamp,
    value: ({ iso }: EventTime): StoredHalt => ({ halted, reason, timestamp: iso }),
  });

/** Thins a history that has grown too long. */
async function committed({ changed, state }: Committed, { topics }: Pick<Ports, 'topics'>): Promise<void> {
  const notes = changed ? thinned(state) : null;
  if (notes) await topics.note(state, notes);
}

/** KRX prices: a state topic for each ticker; its newest message is the quote that REST returns. */
export const priceChannel = defineChannel({
  name: PRICE_CHANNEL,
  kind: 'state',
  source: 'market.price',
  topic: 'price:{ticker}',
  parameters: { ticker: text('[0-9A-Z]{6}', 'six digits or capital letters') },
  events: {
    PriceTicked: event(tick, tickDraft),
    PricesTicked: event(ticks, ({ quotes }) => quotes.map(tickDraft), { list: 'quotes' }),
    DailyClosed: event(daily, dailyDraft),
    TradingHalted: event(halting, haltDraft(true)),
    TradingResumed: event(halting, haltDraft(false)),
    TickersListed: event(listing, ({ tickers }) => tickers.map((entry) => ({ topic: { ticker: entry.ticker }, expectedAs: entry.name })), {
      list: 'tickers',
    }),
  },
  committed,
  listed: true,
  permits: ANYONE,
  payload({ parts: { price, halt }, values, nowMs, repeated, settings }: MessageOf<QuoteParts, { readonly ticker: string }>) {
    if (!price) return null;
    const stale = isStale(price, nowMs, freshness(settings));
    return {
      type: 'price_update',
      ticker: values.ticker,
      data: {
        price: price.price,
        change: price.change,
        change_rate: price.change_rate,
        volume: price.volume,
        bid_price: price.bid_price,
        ask_price: price.ask_price,
        // an ordinary tick has the six fields above and no more
        ...(halt ? { halted: halt.halted } : {}),
        ...(stale || repeated ? { stale } : {}),
      },
      timestamp: price.timestamp,
    };
  },
});

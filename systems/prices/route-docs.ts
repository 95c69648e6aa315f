/** Descriptions of the routes of prices, for their callers. */
import * as v from 'valibot';
import { integer, wholeNumber } from '../../core/base/numbers.ts';
import type { ParameterDoc, RouteDoc } from '../../core/channels/system.ts';
import { TICKER } from './price-channel.ts';
import type { Gap, Quote } from './quote.ts';

const text = v.string();
const ticker = v.pipe(text, v.regex(TICKER));

const quoteSchema: v.GenericSchema<Quote> = v.object({
  ticker,
  price: integer,
  change: integer,
  change_rate: v.number(),
  volume: wholeNumber,
  timestamp: text,
  bid_price: wholeNumber,
  ask_price: wholeNumber,
  source: v.picklist(['realtime', 'daily']),
  stale: v.boolean(),
  halted: v.boolean(),
  name: v.exactOptional(text),
});
const gapSchema: v.GenericSchema<Gap> = v.object({
  ticker,
  name: v.exactOptional(text),
  reasons: v.array(v.picklist(['no_quote', 'stale', 'halted'])),
  last: v.nullable(text),
});
const pricesSchema = v.object({ prices: v.record(text, quoteSchema) });

const one: ParameterDoc = { says: 'six digits or capital letters', schema: v.pipe(ticker, v.examples(['005930'])) };
const several: ParameterDoc = {
  says: '1 to 500 tickers, comma separated',
  schema: v.pipe(text, v.regex(/^[0-9A-Z]{6}(,[0-9A-Z]{6}){0,499}$/), v.examples(['005930,000660'])),
};

export const realtimePrices = (): RouteDoc => ({
  summary: 'The newest quotes of some tickers; those without a quote are left out',
  parameters: { tickers: { ...several, required: true } },
  answer: pricesSchema,
});

export const realtimePrice = (): RouteDoc => ({
  summary: 'The newest quote of a ticker',
  parameters: { ticker: one },
  answer: quoteSchema,
  errors: ['NOT_FOUND'],
});

export const history = (): RouteDoc => ({
  summary: 'Recent ticks of a ticker, oldest first',
  parameters: { ticker: one, since: { says: 'only later ones: ISO 8601 with a zone', schema: v.pipe(text, v.isoTimestamp()) } },
  answer: v.object({ ticker, position: v.nullable(text), ticks: v.array(v.object({ timestamp: text, price: integer })) }),
  errors: ['NOT_FOUND'],
});

export const gaps = (): RouteDoc => ({
  summary: 'Tickers with no, old or halted quotes',
  answer: v.object({ gaps: v.array(gapSchema) }),
});

export const prices = (): RouteDoc => ({
  summary: 'The newest quotes of some tickers, or of all known ones',
  parameters: { tickers: several },
  answer: pricesSchema,
});

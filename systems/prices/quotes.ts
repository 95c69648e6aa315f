/** Quotes over REST: the newest messages of the price topics, and what is missing among them. */

import { formatPosition, type Position } from '../../core/base/position.ts';
import { cut } from '../../core/base/text.ts';
import { parseMicros } from '../../core/base/time.ts';
import type { SystemPorts } from '../../core/channels/system.ts';
import { PushError } from '../../core/errors.ts';
import { type Point, parsePoint, pointsOf } from './history.ts';
import { PRICE_CHANNEL, priceTopic, TICKER, tickerOf } from './price-channel.ts';
import { type Gap, gapOf, type Quote, type QuoteParts, quoteOf } from './quote.ts';
import { freshness } from './settings.ts';

/** `docs/protocol.md`, "REST". */
const MAX_TICKERS = 500;

/** The tickers of a `tickers=` parameter, checked. */
export function parseTickers(parameter: string | undefined): string[] {
  const tickers = [
    ...new Set(
      (parameter ?? '')
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    ),
  ];
  if (tickers.length === 0)
    throw new PushError('INVALID_MESSAGE_FORMAT', 'tickers: expected 1 to 500 tickers, comma separated, such as ?tickers=005930,000660', {
      parameter: 'tickers',
    });
  if (tickers.length > MAX_TICKERS)
    throw new PushError('INVALID_MESSAGE_FORMAT', `tickers: expected 1 to ${MAX_TICKERS} tickers, got ${tickers.length}`, {
      parameter: 'tickers',
    });
  for (const ticker of tickers) checkTicker(ticker);
  return tickers;
}

export function checkTicker(ticker: string): string {
  if (!TICKER.test(ticker)) {
    throw new PushError(
      'INVALID_MESSAGE_FORMAT',
      `a ticker is six digits or capital letters, such as 005930; got ${JSON.stringify(cut(ticker, 50))}`,
      { parameter: 'tickers' },
    );
  }
  return ticker;
}

/** The quotes of some tickers, or of all known ones; tickers without a quote are left out. */
export async function quotes(
  tickers: readonly string[] | 'all',
  { topics, catalogue, clock, settings }: SystemPorts,
): Promise<Record<string, Quote>> {
  const known = tickers === 'all' ? await catalogue.topics(PRICE_CHANNEL) : null;
  const wanted = known ? known.map(({ topic }) => topic) : (tickers as readonly string[]).map(priceTopic);
  const [states, names] = await Promise.all([
    topics.read(wanted),
    known
      ? new Map(known.flatMap(({ topic, name }) => (name === null ? [] : [[topic, name] as const])))
      : catalogue.names(PRICE_CHANNEL, wanted),
  ]);
  const now = clock.now();
  const found = wanted.flatMap((topic) => {
    const quote = quoteOf(tickerOf(topic), (states.get(topic)?.parts ?? {}) as QuoteParts, now, freshness(settings), names.get(topic));
    return quote ? [[quote.ticker, quote] as const] : [];
  });
  return Object.fromEntries(found);
}

/** The quote of a ticker. Throws if none is known. */
export async function quote(ticker: string, { topics, catalogue, clock, settings }: SystemPorts): Promise<Read<Quote>> {
  const topic = priceTopic(checkTicker(ticker));
  const [states, names] = await Promise.all([topics.read([topic]), catalogue.names(PRICE_CHANNEL, [topic])]);
  const state = states.get(topic);
  const found = state && quoteOf(ticker, state.parts as QuoteParts, clock.now(), freshness(settings), names.get(topic));
  if (!found) throw new PushError('NOT_FOUND', `no quote of ${ticker} is known`, { ticker });
  return { body: found, position: { epoch: state.epoch, offset: state.head } };
}

/** Known tickers with no, old or halted quotes. */
export async function gaps({ topics, catalogue, clock, settings }: SystemPorts): Promise<Gap[]> {
  const known = await catalogue.topics(PRICE_CHANNEL);
  const states = await topics.read(known.map(({ topic }) => topic));
  return known.flatMap(({ topic, name }) => {
    const parts = (states.get(topic)?.parts ?? {}) as QuoteParts;
    return gapOf(tickerOf(topic), parts, clock.now(), freshness(settings), name ?? undefined) ?? [];
  });
}

/** A reading of a topic, and the topic's position then. */
export interface Read<Body> {
  readonly body: Body;
  readonly position: Position;
}

export interface Ticks {
  readonly ticker: string;
  readonly position: string | null;
  readonly ticks: readonly Point[];
}

/** Recent ticks, oldest first; `since` is a time (ISO 8601), exclusive. */
export async function history(ticker: string, since: string | undefined, { topics }: SystemPorts): Promise<Read<Ticks>> {
  const topic = priceTopic(checkTicker(ticker));
  // a plus sign that nobody escaped arrives as a blank
  const sinceMicros = since === undefined ? Number.NEGATIVE_INFINITY : parseMicros(since.replace(' ', '+'));
  if (sinceMicros === null)
    throw new PushError('INVALID_MESSAGE_FORMAT', 'since: expected ISO 8601 with a zone, such as 2026-02-06T22:48:44Z', {
      parameter: 'since',
    });
  const state = (await topics.read([topic])).get(topic);
  if (!state) throw new PushError('NOT_FOUND', `no tick of ${ticker} is known`, { ticker });
  const ticks = pointsOf(state)
    .map(parsePoint)
    .filter(({ atMs }) => atMs * 1000 > sinceMicros);
  return {
    body: {
      ticker,
      position: formatPosition(state.epoch, state.head),
      ticks: ticks.map(({ timestamp, price }) => ({ timestamp, price })),
    },
    position: { epoch: state.epoch, offset: state.head },
  };
}

import { isAheadOf } from '../../core/base/ordering.ts';

/** A price as stored, from a tick or a daily close: the `price` part of a `price:{ticker}` state item. */
export interface StoredPrice {
  readonly price: number;
  readonly change: number;
  readonly change_rate: number;
  readonly volume: number;
  readonly bid_price: number;
  readonly ask_price: number;
  /** As it was given: ISO 8601 for a tick, YYYY-MM-DD for a daily close. */
  readonly timestamp: string;
  readonly source: 'realtime' | 'daily';
  /** When the price was true, in ms: the tick's time, or the close of the session. */
  readonly atMs: number;
}

/** The `halt` part of a `price:{ticker}` state item. */
export interface StoredHalt {
  readonly halted: boolean;
  readonly reason: string;
  readonly timestamp: string;
}

/** A quote as REST returns it; the push carries the same numbers from the same item. */
export interface Quote {
  readonly ticker: string;
  readonly price: number;
  readonly change: number;
  readonly change_rate: number;
  readonly volume: number;
  readonly timestamp: string;
  readonly bid_price: number;
  readonly ask_price: number;
  readonly source: 'realtime' | 'daily';
  readonly stale: boolean;
  readonly halted: boolean;
  readonly name?: string;
}

export interface Freshness {
  readonly staleRealtimeSeconds: number;
  readonly staleDailyDays: number;
}

export function isStale(price: Pick<StoredPrice, 'source' | 'atMs'>, nowMs: number, fresh: Freshness): boolean {
  const limitMs = price.source === 'daily' ? fresh.staleDailyDays * 86_400_000 : fresh.staleRealtimeSeconds * 1000;
  // a time that cannot be true yet says nothing of the price's age
  return nowMs - price.atMs > limitMs || isAheadOf(price.atMs, nowMs);
}

export interface QuoteParts {
  readonly price?: StoredPrice;
  readonly halt?: StoredHalt;
}

/** The quote of a ticker, or `null` while no price is known (a halt alone makes none). */
export function quoteOf(ticker: string, parts: QuoteParts, nowMs: number, fresh: Freshness, name?: string): Quote | null {
  const { price, halt } = parts;
  if (!price) return null;
  return {
    ticker,
    price: price.price,
    change: price.change,
    change_rate: price.change_rate,
    volume: price.volume,
    timestamp: price.timestamp,
    bid_price: price.bid_price,
    ask_price: price.ask_price,
    source: price.source,
    stale: isStale(price, nowMs, fresh),
    halted: halt?.halted ?? false,
    ...(name === undefined ? {} : { name }),
  };
}

/** A ticker whose quote needs attention, and why. `no_quote` and `halted` may both hold. */
export interface Gap {
  readonly ticker: string;
  readonly name?: string;
  readonly reasons: readonly ('no_quote' | 'stale' | 'halted')[];
  readonly last: string | null;
}

export function gapOf(ticker: string, parts: QuoteParts, nowMs: number, fresh: Freshness, name?: string): Gap | null {
  const reasons: ('no_quote' | 'stale' | 'halted')[] = [];
  if (!parts.price) reasons.push('no_quote');
  else if (isStale(parts.price, nowMs, fresh)) reasons.push('stale');
  if (parts.halt?.halted) reasons.push('halted');
  if (reasons.length === 0) return null;
  return { ticker, ...(name === undefined ? {} : { name }), reasons, last: parts.price?.timestamp ?? null };
}

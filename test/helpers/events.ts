export interface PublishedEvent {
  readonly source: string;
  readonly detailType: string;
  readonly detail: Record<string, unknown>;
  readonly id?: string;
  readonly time?: string;
}

const now = (): string => new Date().toISOString();

export const tick = (ticker: string, price: number, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'PriceTicked',
  detail: {
    ticker,
    price,
    change: -700,
    change_rate: -0.4394224733207784,
    volume: 36358081,
    bid_price: price,
    ask_price: price,
    timestamp: now(),
    ...over,
  },
});

export const daily = (ticker: string, price: number, date: string, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'DailyClosed',
  detail: { ticker, date, price, change: -200, change_rate: -0.3424657534246575, volume: 22198428, ...over },
});

export const halt = (ticker: string, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'TradingHalted',
  detail: { ticker, reason: 'disclosure', timestamp: now(), ...over },
});

export const resume = (ticker: string, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'market.price',
  detailType: 'TradingResumed',
  detail: { ticker, reason: 'over', timestamp: now(), ...over },
});

export const listed = (...tickers: { ticker: string; name: string }[]): PublishedEvent => ({
  source: 'market.price',
  detailType: 'TickersListed',
  detail: { tickers },
});

let serial = 0;
/** A ticker that no other test of this process uses. */
export const freshTicker = (): string =>
  `T${process.pid.toString(36).toUpperCase().slice(-3).padStart(3, '0')}${(serial++).toString(36).toUpperCase().padStart(2, '0')}`;

export const rank = (concertId: number, userId: number, place: number, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'ticket.waiting-queue',
  detailType: 'RankUpdated',
  detail: { userId, concertId, status: 'WAITING', rank: place, activeTtlSeconds: 0, timestamp: now(), ...over },
});

export const activated = (concertId: number, userId: number, seconds: number, over: Record<string, unknown> = {}): PublishedEvent => ({
  source: 'ticket.waiting-queue',
  detailType: 'Activated',
  detail: { userId, concertId, status: 'ACTIVE', rank: 0, activeTtlSeconds: seconds, timestamp: now(), ...over },
});

export const settled = (
  seatId: number,
  userId: number,
  status: 'SUCCESS' | 'FAIL',
  over: Record<string, unknown> = {},
): PublishedEvent => ({
  source: 'ticket.reservation',
  detailType: 'ReservationSettled',
  detail: { userId, seatId, status, timestamp: now(), ...over },
});

/** A whole number that no other test of this process uses. */
export const freshId = (): number => process.pid * 10_000 + serial++;

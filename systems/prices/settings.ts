/** The settings of the price system, and what they say. */
import { isDay } from '../../core/base/time.ts';
import { matching, numberOf, type Setting, type Settings, wholeNumberIn } from '../../core/settings.ts';
import type { MarketHours } from './market-hours.ts';
import type { Freshness } from './quote.ts';

const NAME = {
  staleRealtimeSeconds: 'STALE_REALTIME_SECONDS',
  staleDailyDays: 'STALE_DAILY_DAYS',
  feedDownSeconds: 'FEED_DOWN_SECONDS',
  marketOpen: 'MARKET_OPEN',
  marketClose: 'MARKET_CLOSE',
  marketHolidays: 'MARKET_HOLIDAYS',
} as const;

const clock = matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time in Seoul, such as 09:00');

export const PRICE_SETTINGS: readonly Setting[] = [
  {
    name: NAME.staleRealtimeSeconds,
    fallback: '300',
    check: wholeNumberIn(1),
    doc: 'age at which a realtime quote counts as stale, in seconds',
  },
  { name: NAME.staleDailyDays, fallback: '7', check: wholeNumberIn(1), doc: 'age at which a daily quote counts as stale, in days' },
  {
    name: NAME.feedDownSeconds,
    fallback: '120',
    check: wholeNumberIn(1),
    doc: 'seconds without a tick, in market hours, after which the feed is down',
  },
  { name: NAME.marketOpen, fallback: '09:00', check: clock, doc: 'start of the session, Seoul time, Monday to Friday' },
  { name: NAME.marketClose, fallback: '15:30', check: clock, doc: 'end of the session, Seoul time' },
  {
    name: NAME.marketHolidays,
    fallback: '',
    check: (value) => (value === '' || value.split(',').every(isDay) ? null : 'dates, comma separated, such as 2026-12-25,2026-12-31'),
    doc: 'days without session, comma separated',
  },
];

export const priceConflicts = (settings: Settings): string[] =>
  (settings[NAME.marketOpen] ?? '') < (settings[NAME.marketClose] ?? '')
    ? []
    : [`${NAME.marketOpen}: expected a time before ${NAME.marketClose}`];

export const freshness = (settings: Settings): Freshness => ({
  staleRealtimeSeconds: numberOf(settings, NAME.staleRealtimeSeconds),
  staleDailyDays: numberOf(settings, NAME.staleDailyDays),
});

export const feedDownMs = (settings: Settings): number => numberOf(settings, NAME.feedDownSeconds) * 1000;

export const marketHours = (settings: Settings): MarketHours => ({
  openMinute: minuteOf(settings[NAME.marketOpen]),
  closeMinute: minuteOf(settings[NAME.marketClose]),
  holidays: (settings[NAME.marketHolidays] ?? '').split(',').filter((date) => date !== ''),
});

const minuteOf = (text = ''): number => {
  const [hour = '', minute = ''] = text.split(':');
  return Number(hour) * 60 + Number(minute);
};

import { isDay } from '../../core/base/time.ts';

/** The KRX regular session, Seoul time. Seoul has no daylight saving: it is nine hours ahead of UTC all year. */
const SEOUL_MS = 9 * 3600_000;
const DAY_MS = 86_400_000;

export interface MarketHours {
  /** Minutes after midnight, Seoul. */
  readonly openMinute: number;
  readonly closeMinute: number;
  /** Dates without session, YYYY-MM-DD. */
  readonly holidays: readonly string[];
}

const seoul = (nowMs: number): Date => new Date(nowMs + SEOUL_MS);

export function inMarketHours(nowMs: number, hours: MarketHours): boolean {
  const local = seoul(nowMs);
  const weekday = local.getUTCDay();
  if (weekday === 0 || weekday === 6) return false;
  if (hours.holidays.includes(seoulDate(nowMs))) return false;
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  return minute >= hours.openMinute && minute < hours.closeMinute;
}

/** The date in Seoul, YYYY-MM-DD. */
export const seoulDate = (nowMs: number): string => seoul(nowMs).toISOString().slice(0, 10);

/** When the session that is on now began, in ms; meaningful in market hours only. */
export function sessionStart(nowMs: number, hours: MarketHours): number {
  const midnight = Math.floor((nowMs + SEOUL_MS) / DAY_MS) * DAY_MS - SEOUL_MS;
  return midnight + hours.openMinute * 60_000;
}

/** When the session of `date` (YYYY-MM-DD) closed: 15:30 Seoul, in ms; `null` where there is no such day. */
export function sessionClose(date: string): number | null {
  return isDay(date) ? Date.parse(`${date}T15:30:00+09:00`) : null;
}

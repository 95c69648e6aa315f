/** Time as events carry it: ISO 8601, to the microsecond if they have it. */

/** An event stamped further ahead than this counts as accepted now (`docs/protocol.md`, "Publishing"). */
export const MAX_AHEAD_MS = 5_000;

const ISO = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3])(:[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** Microseconds since 1970 of an ISO 8601 date-time with zone; `null` for any other text. */
export function parseMicros(iso: string): number | null {
  const [, date = '', hour = '', rest = '', fraction = '', zone = ''] = ISO.exec(iso) ?? [];
  const ms = Date.parse(`${date}T${hour}${rest}${zone}`);
  if (Number.isNaN(ms) || !isDay(date)) return null;
  return ms * 1000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Whether the calendar has this day: JavaScript reads 30 February as 2 March. */
export function isDay(date: string): boolean {
  const midnight = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(midnight) && isoOf(midnight).startsWith(date);
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

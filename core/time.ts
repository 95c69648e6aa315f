/** Time as the events carry it: ISO 8601, to the microsecond where they have it. */

/** An event stamped further ahead than this counts as accepted now (contracts, "Channels"). */
export const MAX_AHEAD_MS = 5_000;

const ISO = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** Microseconds since 1970 of an ISO 8601 date-time with zone, or `null` where it is none. */
export function parseMicros(iso: string): number | null {
  const match = ISO.exec(iso);
  if (!match) return null;
  const seconds = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(seconds)) return null;
  return seconds * 1000 + Number((match[2] ?? '').slice(0, 6).padEnd(6, '0'));
}

export const isoOf = (ms: number): string => new Date(ms).toISOString();

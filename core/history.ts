import { parsePoint } from './quote.ts';

/** So many points of recent history a topic keeps at least; it is thinned when it has half as many again. */
export const KEPT_POINTS = 60;
const THIN_AT = 90;
/** The newest points are kept one for one, the older ones at most one in so many ms, over ten minutes. */
const KEPT_WHOLE = 30;
const SPACING_MS = 20_000;

/**
 * The history a topic should keep, or `null` while it need not be thinned. Thinning is one write in thirty ticks;
 * it leaves the newest ticks whole and spreads the rest over ten minutes, so that a busy ticker's line is not cut
 * to its last seconds.
 */
export function thinPoints(points: readonly string[]): string[] | null {
  if (points.length < THIN_AT) return null;
  const older: string[] = [];
  let lastAt = Number.POSITIVE_INFINITY;
  for (const point of points.slice(0, -KEPT_WHOLE).reverse()) {
    const { atMs } = parsePoint(point);
    if (lastAt - atMs < SPACING_MS) continue;
    older.unshift(point);
    lastAt = atMs;
    if (older.length === KEPT_POINTS - KEPT_WHOLE) break;
  }
  return [...older, ...points.slice(-KEPT_WHOLE)];
}

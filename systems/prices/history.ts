/** The recent ticks of a ticker: compact points among the notes of its topic, appended with each tick's commit. */
import { isoOf } from '../../core/base/time.ts';
import type { TopicState } from '../../core/ports/topics.ts';

/** Name of the note. */
const RECENT = 'recent';

/** A tick as `{ms}:{price}` in base 36, about 13 bytes. */
export const formatPoint = (atMs: number, price: number): string => `${atMs.toString(36)}:${price.toString(36)}`;

export interface Point {
  readonly timestamp: string;
  readonly price: number;
}

export function parsePoint(text: string): Point & { readonly atMs: number } {
  const [at = '0', price = '0'] = text.split(':');
  const atMs = Number.parseInt(at, 36);
  return { timestamp: isoOf(atMs), price: Number.parseInt(price, 36), atMs };
}

/** The note that a tick appends to. */
export const appendPoint = (atMs: number, price: number): Record<string, string> => ({ [RECENT]: formatPoint(atMs, price) });

/** The points of a topic, oldest first. */
export const pointsOf = ({ notes }: TopicState): readonly string[] => (Array.isArray(notes[RECENT]) ? (notes[RECENT] as string[]) : []);

/** Notes that replace a history which has grown too long; `null` while it need not be thinned. */
export function thinned(state: TopicState): Record<string, unknown> | null {
  const points = thinPoints(pointsOf(state));
  return points && { [RECENT]: points };
}

/** A topic keeps at least this many points; they are thinned when there are half as many again. */
export const KEPT_POINTS = 60;
const THIN_AT = 90;
/** The newest points are kept one for one, older ones at most one in this many ms: ten minutes in all. */
const KEPT_WHOLE = 30;
const SPACING_MS = 20_000;

/**
 * The points to keep, or `null` while there is room. Thinning is one write in thirty ticks. It keeps the newest ticks whole
 * and spreads the rest over ten minutes, so that the line of a busy ticker is not cut to its last seconds.
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

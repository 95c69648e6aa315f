/** CloudWatch's metrics of the local run: values by minute, for the last hours. */
import type { LocalClock } from '../base/clock.ts';

export type Dimensions = Readonly<Record<string, string>>;

/** The values of one minute. */
export interface Point {
  /** Its start, in ms since 1970. */
  readonly atMs: number;
  readonly sum: number;
  readonly count: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface Series {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
  /** Oldest first; a minute without a value has none. */
  readonly points: readonly Point[];
}

export interface MetricStore {
  /** Adds a value to a minute: the current one, or that of `atMs`. */
  add(namespace: string, name: string, dimensions: Dimensions, value: number, atMs?: number): void;
  find(namespace: string, name: string, dimensions: Dimensions): Series | undefined;
  all(): readonly Series[];
}

export const MINUTE_MS = 60_000;
/** Minutes that are kept. */
const KEPT = 180;

const keyOf = (namespace: string, name: string, dimensions: Dimensions): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort(([one], [other]) => (one < other ? -1 : 1))]);

export function metricStore(clock: Pick<LocalClock, 'now'>): MetricStore {
  const series = new Map<string, Omit<Series, 'points'> & { points: Point[] }>();
  return {
    add(namespace, name, dimensions, value, atMs = clock.now()) {
      const key = keyOf(namespace, name, dimensions);
      const { points } = series.get(key) ?? { points: [] as Point[] };
      if (!series.has(key)) series.set(key, { namespace, name, dimensions, points });
      const minute = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
      const index = points.findIndex((point) => point.atMs === minute);
      const before = points[index];
      const point: Point = {
        atMs: minute,
        sum: (before?.sum ?? 0) + value,
        count: (before?.count ?? 0) + 1,
        minimum: Math.min(before?.minimum ?? value, value),
        maximum: Math.max(before?.maximum ?? value, value),
      };
      if (before) points[index] = point;
      else points.push(point);
      points.sort((one, other) => one.atMs - other.atMs);
      points.splice(0, points.length - KEPT);
    },
    find: (namespace, name, dimensions) => series.get(keyOf(namespace, name, dimensions)),
    all: () => [...series.values()],
  };
}

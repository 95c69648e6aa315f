import { readFileSync } from 'node:fs';
import { OPERATIONS, type OutgoingEvent } from '../publisher.ts';

/** An earthquake of the feed. The head of `earthquakes.csv` names its source and licence. */
export interface Earthquake {
  readonly atMs: number;
  readonly magnitude: number;
  readonly latitude: number;
  readonly longitude: number;
  readonly depthKm: number;
  readonly place: string;
}

export function readEarthquakes(file = new URL('./earthquakes.csv', import.meta.url)): Earthquake[] {
  const [, ...rows] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((row) => {
    const [time = '', magnitude, latitude, longitude, depthKm, ...place] = row.split(';');
    return {
      atMs: Date.parse(time),
      magnitude: Number(magnitude),
      latitude: Number(latitude),
      longitude: Number(longitude),
      depthKm: Number(depthKm),
      place: place.join(';'),
    };
  });
}

/** Least magnitude of each level, strongest first. */
const LEVELS = [
  [6, 'critical'],
  [5.5, 'error'],
  [4.5, 'warning'],
] as const;

export const levelOf = (magnitude: number): string => LEVELS.find(([from]) => magnitude >= from)?.[1] ?? 'info';

export const alertOf = ({ atMs, magnitude, latitude, longitude, depthKm, place }: Earthquake): OutgoingEvent => ({
  source: OPERATIONS,
  detailType: 'AlertRaised',
  detail: {
    level: levelOf(magnitude),
    title: `Earthquake, magnitude ${magnitude.toFixed(1)}`,
    message: `${place}, ${Math.max(0, depthKm).toFixed(0)} km deep`,
    category: 'earthquake',
    source: 'USGS',
    metadata: { magnitude, latitude, longitude, depth_km: depthKm, time: new Date(atMs).toISOString() },
  },
});

/**
 * Replays the feed at `speed` times its pace, and starts again when it ends. The returned function takes the time since
 * the start, and returns the earthquakes that have fallen due since its last call.
 */
export function replay(quakes: readonly Earthquake[], speed: number): (elapsedMs: number) => Earthquake[] {
  const began = quakes[0]?.atMs ?? 0;
  const lengthMs = (quakes.at(-1)?.atMs ?? began) - began + 1;
  let next = 0;
  return (elapsedMs) => {
    const due: Earthquake[] = [];
    for (;;) {
      const quake = quakes[next % quakes.length];
      if (!quake) return due;
      const dueMs = Math.floor(next / quakes.length) * lengthMs + quake.atMs - began;
      if (dueMs > elapsedMs * speed) return due;
      due.push(quake);
      next++;
    }
  };
}

/** At most one alert in this time, so that earthquakes do not drown what else is raised. */
export const ALERT_MS = 60_000;

/** Of the earthquakes that it is given, lets the strongest through, once in `ALERT_MS`; the first one at once. */
export function strongestOnly(): (quakes: readonly Earthquake[], nowMs: number) => Earthquake[] {
  let strongest: Earthquake | null = null;
  let nextMs = Number.NEGATIVE_INFINITY;
  return (quakes, nowMs) => {
    for (const quake of quakes) if (strongest === null || quake.magnitude > strongest.magnitude) strongest = quake;
    if (strongest === null || nowMs < nextMs) return [];
    const due = [strongest];
    strongest = null;
    nextMs = nowMs + ALERT_MS;
    return due;
  };
}

import { readFileSync } from 'node:fs';
import { OPERATIONS, type OutgoingEvent } from '../publisher.ts';

/** An earthquake as the feed told it (see the head of `earthquakes.csv` for source and licence). */
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

/** From so strong on. */
const LEVELS = [
  [6, 'critical'],
  [4.5, 'error'],
  [3, 'warning'],
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

/** What of the feed is due after so long, from its beginning, where its time goes by so many times as fast; it begins anew when it ends. */
export function replay(quakes: readonly Earthquake[], speed: number): (elapsedMs: number) => Earthquake[] {
  const began = quakes[0]?.atMs ?? 0;
  const lengthMs = (quakes.at(-1)?.atMs ?? began) - began + 1;
  let told = 0;
  return (elapsedMs) => {
    const due: Earthquake[] = [];
    for (;;) {
      const quake = quakes[told % quakes.length];
      if (!quake) return due;
      const dueMs = Math.floor(told / quakes.length) * lengthMs + quake.atMs - began;
      if (dueMs > elapsedMs * speed) return due;
      due.push(quake);
      told++;
    }
  };
}

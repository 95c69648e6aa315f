/**
 * Makes `earthquakes.csv` from a week of the USGS feed of all earthquakes, as `vega-datasets` packs it (U.S. public
 * domain). Needs npm and its registry; run by hand: `npx tsx local/demo/build-earthquakes.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = 'vega-datasets@3.2.1';
const OUT = fileURLToPath(new URL('./earthquakes.csv', import.meta.url));
/** Smaller earthquakes are not worth an alert. */
const LEAST_MAGNITUDE = 1;

interface Feature {
  readonly properties: { readonly mag: number | null; readonly place: string; readonly time: number; readonly type: string };
  readonly geometry: { readonly coordinates: readonly [number, number, number] };
}

const folder = mkdtempSync(join(tmpdir(), 'earthquakes-'));
const packed = execFileSync('npm', ['pack', '--silent', PACKAGE], { cwd: folder, encoding: 'utf8' }).trim();
execFileSync('tar', ['xzf', packed, 'package/data/earthquakes.json'], { cwd: folder });
const { features } = JSON.parse(readFileSync(join(folder, 'package/data/earthquakes.json'), 'utf8')) as { features: Feature[] };
rmSync(folder, { recursive: true, force: true });

const rows = features
  .filter(({ properties: { mag, type } }) => type === 'earthquake' && mag !== null && mag >= LEAST_MAGNITUDE)
  .sort((a, b) => a.properties.time - b.properties.time)
  .map(({ properties: { mag, place, time }, geometry: { coordinates } }) => {
    const [longitude, latitude, depth] = coordinates;
    return [new Date(time).toISOString(), mag?.toFixed(1), latitude.toFixed(3), longitude.toFixed(3), depth.toFixed(1), place].join(';');
  });
writeFileSync(
  OUT,
  [
    `# Earthquakes of a week. Source: U.S. Geological Survey, feed of all earthquakes, by ${PACKAGE}; U.S. public domain.`,
    'time;magnitude;latitude;longitude;depth_km;place',
    ...rows,
    '',
  ].join('\n'),
);
console.log(`${OUT}: ${rows.length} earthquakes`);

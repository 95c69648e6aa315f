/**
 * Makes `prices.csv` from the daily rates of @fawazahmed0/currency-api (CC0 1.0): whole won for some thirty currencies,
 * metals and coins. Needs npm and its registry; run by hand to get other days:
 * `npx tsx local/demo/build-prices.ts 2026.8.24 2026.9.29`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@fawazahmed0/currency-api';
const OUT = fileURLToPath(new URL('./prices.csv', import.meta.url));

/** Code, name, and the number of units per price, which makes whole won precise enough. */
const ASSETS: readonly (readonly [string, string, number])[] = [
  ['usd', 'US dollar', 100],
  ['eur', 'Euro', 100],
  ['jpy', 'Japanese yen', 1000],
  ['gbp', 'Pound sterling', 100],
  ['cny', 'Chinese yuan', 100],
  ['chf', 'Swiss franc', 100],
  ['cad', 'Canadian dollar', 100],
  ['aud', 'Australian dollar', 100],
  ['nzd', 'New Zealand dollar', 100],
  ['hkd', 'Hong Kong dollar', 100],
  ['sgd', 'Singapore dollar', 100],
  ['twd', 'Taiwan dollar', 100],
  ['thb', 'Thai baht', 100],
  ['vnd', 'Vietnamese dong', 10000],
  ['idr', 'Indonesian rupiah', 10000],
  ['myr', 'Malaysian ringgit', 100],
  ['php', 'Philippine peso', 100],
  ['inr', 'Indian rupee', 100],
  ['mxn', 'Mexican peso', 100],
  ['brl', 'Brazilian real', 100],
  ['sek', 'Swedish krona', 100],
  ['nok', 'Norwegian krone', 100],
  ['dkk', 'Danish krone', 100],
  ['pln', 'Polish zloty', 100],
  ['btc', 'Bitcoin', 1],
  ['eth', 'Ether', 1],
  ['sol', 'Solana', 1],
  ['xrp', 'XRP', 100],
  ['xau', 'Gold, ounce', 1],
  ['xag', 'Silver, ounce', 1],
];

const [from, to] = process.argv.slice(2);
if (!from || !to) throw new Error('usage: npx tsx local/demo/build-prices.ts FIRST LAST, versions of the package such as 2026.8.24');

const keyOf = (version: string): string =>
  version
    .split('.')
    .map((part) => part.padStart(4, '0'))
    .join('');
const versions = (JSON.parse(execFileSync('npm', ['view', PACKAGE, 'versions', '--json'], { encoding: 'utf8' })) as string[])
  .filter((version) => keyOf(version) >= keyOf(from) && keyOf(version) <= keyOf(to))
  .sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
if (versions.length < 2) throw new Error(`no versions of ${PACKAGE} from ${from} to ${to}`);

const folder = mkdtempSync(join(tmpdir(), 'rates-'));
const days = versions.map((version) => {
  process.stderr.write(`${version} `);
  const packed = execFileSync('npm', ['pack', '--silent', `${PACKAGE}@${version}`], { cwd: folder, encoding: 'utf8' }).trim();
  execFileSync('tar', ['xzf', packed, 'package/v1/currencies/usd.json'], { cwd: folder });
  return JSON.parse(readFileSync(join(folder, 'package/v1/currencies/usd.json'), 'utf8')) as { date: string; usd: Record<string, number> };
});
rmSync(folder, { recursive: true, force: true });

const wonOf = (usd: Record<string, number>, code: string, units: number): number =>
  Math.round(((usd['krw'] ?? Number.NaN) / (usd[code] ?? Number.NaN)) * units);
const rows = ASSETS.map(([code, name, units]) => {
  const label = units === 1 ? name : `${name} × ${units}`;
  return [`${code.toUpperCase()}KRW`, label, ...days.map(({ usd }) => wonOf(usd, code, units))].join(';');
});
writeFileSync(
  OUT,
  [
    `# Daily rates in whole won. Source: ${PACKAGE} ${versions[0]} to ${versions.at(-1)}, CC0 1.0 (public domain dedication).`,
    ['ticker', 'name', ...days.map(({ date }) => date)].join(';'),
    ...rows,
    '',
  ].join('\n'),
);
console.log(`\n${OUT}: ${rows.length} tickers, ${days.length} days`);

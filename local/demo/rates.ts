import { readFileSync } from 'node:fs';

/** Real daily rates in whole won. The head of `prices.csv` names their source and licence. */
export interface DailyRates {
  readonly ticker: string;
  readonly name: string;
  readonly dates: readonly string[];
  readonly won: readonly number[];
}

export function readRates(file = new URL('./prices.csv', import.meta.url)): DailyRates[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [, , ...dates] = lines[0]?.split(';') ?? [];
  return lines.slice(1).map((line) => {
    const [ticker = '', name = '', ...won] = line.split(';');
    return { ticker, name, dates, won: won.map(Number) };
  });
}

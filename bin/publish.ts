/** `npm run publish -- price 005930 158600`: sends an event of one's own. */
import { parseArgs } from 'node:util';
import { MARKET, type OutgoingEvent, postEvents, tickDetail } from '../local/publisher.ts';

const USAGE = `usage: npm run publish -- price TICKER WON          a tick, such as: price 005930 158600
       npm run publish -- halt TICKER [REASON]
       npm run publish -- resume TICKER [REASON]
options: --url http://localhost:8000   where to   (or PUSH_URL)
         --key local-key               the key    (or PUSH_KEY)
         --lane bus|direct             the way    (bus)`;

/** A mistake of the caller's, told without a stack. */
class UsageError extends Error {}

async function eventOf([kind, ticker = '', ...rest]: string[], url: string): Promise<OutgoingEvent> {
  if (!/^[0-9A-Z]{6}$/.test(ticker))
    throw new UsageError(`a ticker is six digits or capital letters, such as 005930; got ${JSON.stringify(ticker)}`);
  const timestamp = new Date().toISOString();
  if (kind === 'halt' || kind === 'resume') {
    return {
      source: MARKET,
      detailType: kind === 'halt' ? 'TradingHalted' : 'TradingResumed',
      detail: { ticker, reason: rest.join(' '), timestamp },
    };
  }
  const [won = '', ...extra] = rest;
  if (!/^[1-9]\d{0,14}$/.test(won) || extra.length > 0)
    throw new UsageError(`a price is whole won, such as 158600; got ${JSON.stringify(rest.join(' '))}`);
  const price = Number(won);
  const answer = await fetch(new URL(`/internal/price/${ticker}`, url));
  const known = answer.status === 200 ? ((await answer.json()) as { price: number; change: number; volume: number }) : null;
  return {
    source: MARKET,
    detailType: 'PriceTicked',
    detail: tickDetail(
      { ticker, price, previousClose: known ? known.price - known.change : price, volume: known?.volume ?? 0 },
      Date.now(),
    ),
  };
}

/** Where the event goes, for the message when nobody is there. */
let target = '';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { url: { type: 'string' }, key: { type: 'string' }, lane: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return console.log(USAGE);
  const [kind = ''] = positionals;
  if (!['price', 'halt', 'resume'].includes(kind))
    throw new UsageError(kind === '' ? USAGE : `there is no event ${JSON.stringify(kind)}\n${USAGE}`);
  if (values.lane !== undefined && values.lane !== 'bus' && values.lane !== 'direct')
    throw new UsageError(`--lane: bus or direct, not ${values.lane}`);
  const url = values.url ?? process.env['PUSH_URL'] ?? `http://localhost:${process.env['PORT'] ?? '8000'}`;
  if (!/^https?:\/\/[^/]+\/?$/.test(url))
    throw new UsageError(`--url: expected an address such as http://localhost:8000, got ${JSON.stringify(url)}`);
  target = url;
  const event = await eventOf(positionals, url);
  const { accepted, rejected } = await postEvents(url, values.key ?? process.env['PUSH_KEY'] ?? 'local-key', [event], values.lane);
  if (accepted === 0) throw new UsageError(`rejected: ${rejected[0]?.error_message ?? ''}`);
  console.log(`accepted: ${event.detailType} ${JSON.stringify(event.detail)}`);
}

main().catch((error: Error & { code?: string; cause?: { code?: string } }) => {
  const refused = error.cause?.code === 'ECONNREFUSED';
  console.error(
    refused
      ? `nobody answers at ${target}: is \`npm start\` running, and there? (--url names another address)`
      : error instanceof UsageError || error.code?.startsWith('ERR_PARSE')
        ? error.message
        : `failed: ${error.message}`,
  );
  process.exitCode = 1;
});

/** Stock prices of the KRX: pushed, over REST, and watched (`docs/protocol.md`, "Prices"). */
import { defineSystem, ok, type Route, type SystemPorts } from '../../core/channels/system.ts';
import { feedHealth, watchFeed } from './feed-watch.ts';
import { METRIC } from './metrics.ts';
import { priceChannel } from './price-channel.ts';
import { gaps, history, parseTickers, quote, quotes, type Read } from './quotes.ts';
import * as docs from './route-docs.ts';
import { PRICE_SETTINGS, priceConflicts } from './settings.ts';

const read = ({ body, position }: Read<object>) => ok(body, position);

const routes: readonly Route<SystemPorts>[] = [
  {
    method: 'GET',
    path: '/api/kr/realtime-prices',
    doc: docs.realtimePrices,
    serve: async ({ query }, ports) => ok({ prices: await quotes(parseTickers(query['tickers']), ports) }),
  },
  {
    method: 'GET',
    path: '/api/kr/stocks/{ticker}/realtime-price',
    doc: docs.realtimePrice,
    serve: async ({ parameters }, ports) => read(await quote(parameters['ticker'] ?? '', ports)),
  },
  {
    method: 'GET',
    path: '/api/kr/stocks/{ticker}/history',
    doc: docs.history,
    serve: async ({ parameters, query }, ports) => read(await history(parameters['ticker'] ?? '', query['since'], ports)),
  },
  { method: 'GET', path: '/api/kr/prices/gaps', doc: docs.gaps, serve: async (_, ports) => ok({ gaps: await gaps(ports) }) },
  {
    method: 'GET',
    path: '/internal/price/{ticker}',
    doc: docs.realtimePrice,
    serve: async ({ parameters }, ports) => read(await quote(parameters['ticker'] ?? '', ports)),
  },
  {
    method: 'GET',
    path: '/internal/prices',
    doc: docs.prices,
    serve: async ({ query }, ports) =>
      ok({ prices: await quotes(query['tickers'] === undefined ? 'all' : parseTickers(query['tickers']), ports) }),
  },
];

export const prices = defineSystem({
  name: 'prices',
  channels: [priceChannel],
  settings: PRICE_SETTINGS,
  conflicts: priceConflicts,
  metrics: {
    [METRIC.quoteGaps]: 'tickers with no, stale or halted quotes',
    [METRIC.feedDown]: '1 while the feed is down in market hours',
  },
  alarms: {
    FeedDown: {
      metric: METRIC.feedDown,
      says: 'no tick of any ticker comes in market hours',
      statistic: 'Maximum',
      threshold: 1,
      minutes: 3,
      badMinutes: 3,
    },
  },
  routes,
  everyMinute: watchFeed,
  health: feedHealth,
});

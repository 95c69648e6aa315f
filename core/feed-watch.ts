import { bounded } from './base/concurrency.ts';
import { isoOf } from './base/time.ts';
import { PRICE_CHANNEL, tickerOf } from './channels/price.ts';
import { ONLY_SHARD } from './delivery/subscribe.ts';
import { inMarketHours, type MarketHours, sessionStart } from './market-hours.ts';
import { METRIC } from './names.ts';
import type { Catalogue, Clock, Jobs, Report, Topics } from './ports.ts';
import { type Freshness, gapOf, type QuoteParts } from './quote.ts';

export interface FeedWatchPorts {
  readonly topics: Topics;
  readonly catalogue: Catalogue;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly report: Report;
  readonly freshness: Freshness;
  readonly hours: MarketHours;
  /** Without a tick of any ticker for so long, in market hours, the feed is down. */
  readonly feedDownSeconds: number;
}

export type FeedState = 'live' | 'down' | 'closed';

/** Outside market hours the gaps are looked at only every so many minutes. */
const QUIET_MINUTES = 10;

/**
 * The minute's look at the price feed. While it is down in market hours, subscribers are told the newest known quote
 * again. Counts the gaps on the way: both need every quote once.
 */
export async function watchFeed(ports: FeedWatchPorts): Promise<void> {
  const { topics, catalogue, jobs, clock, report, freshness, hours } = ports;
  const now = clock.now();
  const open = inMarketHours(now, hours);
  if (!open && Math.floor(now / 60_000) % QUIET_MINUTES !== 0 && (await catalogue.status('feed')) !== null) return;

  const known = await catalogue.topics(PRICE_CHANNEL);
  const states = await topics.read(known.map(({ topic }) => topic));
  const partsOf = (topic: string): QuoteParts => states.get(topic)?.parts ?? {};
  const lastTickMs = Math.max(0, ...known.map(({ topic }) => tickTime(partsOf(topic))));
  const gaps = known.filter(({ topic }) => gapOf(tickerOf(topic), partsOf(topic), now, freshness) !== null).length;
  // the feed is given its time after the opening: yesterday's last tick is no sign of trouble at 09:00
  const quietMs = now - Math.max(lastTickMs, sessionStart(now, hours));
  const state: FeedState = !open ? 'closed' : quietMs >= ports.feedDownSeconds * 1000 ? 'down' : 'live';

  const heard = known.filter(({ topic }) => states.get(topic)?.heard);
  if (state === 'down') {
    await bounded(heard, 16, ({ topic }) => jobs.put({ kind: 'drain', topic, shard: ONLY_SHARD, retell: true }));
    report.warn('the price feed is down; subscribers are told the newest known quotes again', { topics: heard.length, lastTickMs });
  }
  report.count(METRIC.quoteGaps, gaps);
  report.count(METRIC.feedDown, state === 'down' ? 1 : 0);
  await catalogue.saveStatus('feed', {
    state,
    at: isoOf(now),
    last_tick: lastTickMs > 0 ? isoOf(lastTickMs) : null,
    gaps,
    retold: state === 'down' ? heard.length : 0,
  });
}

const tickTime = ({ price }: QuoteParts): number => (price?.source === 'realtime' ? price.atMs : 0);

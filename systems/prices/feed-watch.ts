/** The minute's look at the price feed, and at the gaps among the quotes: both need every quote once. */
import { bounded } from '../../core/base/concurrency.ts';
import { isAheadOf } from '../../core/base/ordering.ts';
import { isoOf } from '../../core/base/time.ts';
import type { MinutePorts, SystemPorts } from '../../core/channels/system.ts';
import { ONLY_SHARD } from '../../core/ports/audience.ts';
import { inMarketHours, sessionStart } from './market-hours.ts';
import { METRIC } from './metrics.ts';
import { PRICE_CHANNEL, tickerOf } from './price-channel.ts';
import { gapOf, type QuoteParts } from './quote.ts';
import { feedDownMs, freshness, marketHours } from './settings.ts';

type FeedState = 'live' | 'down' | 'closed';

/** The catalogue's name for what the last look saw. */
const FEED = 'feed';

/** Outside market hours there is a look only every so many minutes. */
const QUIET_MINUTES = 10;

/** Drain jobs put at once. */
const AT_ONCE = 16;

/** While the feed is down in market hours, subscribers get the newest known quotes again, without position. */
export async function watchFeed(ports: MinutePorts): Promise<void> {
  const { topics, catalogue, jobs, clock, report, settings } = ports;
  const now = clock.now();
  const hours = marketHours(settings);
  const open = inMarketHours(now, hours);
  if (!open && Math.floor(now / 60_000) % QUIET_MINUTES !== 0 && (await catalogue.status(FEED)) !== null) return;

  const known = await catalogue.topics(PRICE_CHANNEL);
  const states = await topics.read(known.map(({ topic }) => topic));
  const partsOf = (topic: string): QuoteParts => states.get(topic)?.parts ?? {};
  const lastTickMs = Math.max(0, ...known.map(({ topic }) => tickTime(partsOf(topic), now)));
  const gaps = known.filter(({ topic }) => gapOf(tickerOf(topic), partsOf(topic), now, freshness(settings)) !== null).length;
  // the feed gets its time after the opening: at 09:00 yesterday's last tick is no sign of trouble
  const quietMs = now - Math.max(lastTickMs, sessionStart(now, hours));
  const state: FeedState = !open ? 'closed' : quietMs >= feedDownMs(settings) ? 'down' : 'live';

  const heard = known.filter(({ topic }) => states.get(topic)?.heard);
  if (state === 'down') {
    await bounded(heard, AT_ONCE, ({ topic }) => jobs.put({ kind: 'drain', topic, shard: ONLY_SHARD, repeat: true }));
    report.warn('the price feed is down; subscribers get the newest known quotes again', { topics: heard.length, lastTickMs });
  }
  report.count(METRIC.quoteGaps, gaps);
  report.count(METRIC.feedDown, state === 'down' ? 1 : 0);
  await catalogue.saveStatus(FEED, {
    state,
    at: isoOf(now),
    last_tick: lastTickMs > 0 ? isoOf(lastTickMs) : null,
    gaps,
    repeated: state === 'down' ? heard.length : 0,
  });
}

/** 0 = no tick, or one whose time cannot be true yet. */
const tickTime = ({ price }: QuoteParts, nowMs: number): number =>
  price?.source === 'realtime' && !isAheadOf(price.atMs, nowMs) ? price.atMs : 0;

/** The feed as the last look saw it, and whether the newest quotes are being delivered again. */
export async function feedHealth({ catalogue }: SystemPorts): Promise<object> {
  const feed = await catalogue.status(FEED);
  return {
    feed: { state: String(feed?.['state'] ?? 'unknown'), last_tick: feed?.['last_tick'] ?? null, gaps: feed?.['gaps'] ?? null },
    broadcaster: {
      state: feed?.['state'] === 'down' ? 'retelling' : 'idle',
      topics: feed?.['repeated'] ?? 0,
      checked_at: feed?.['at'] ?? null,
    },
  };
}

import middy from '@middy/core';
import { type FeedWatchPorts, watchFeed } from '../core/feed-watch.ts';
import { systemClock } from './adapters/clock.ts';
import { dynamoCatalogue } from './adapters/dynamo/catalogue.ts';
import { documents } from './adapters/dynamo/client.ts';
import { dynamoTopics } from './adapters/dynamo/topics.ts';
import { freshness, limits, marketHours, table } from './adapters/env.ts';
import { newEpoch } from './adapters/epoch.ts';
import { jobsQueue } from './adapters/queues.ts';
import { type Telemetry, telemetry } from './adapters/report.ts';
import { withTelemetry } from './middleware/telemetry.ts';

/** Every minute: is the price feed alive? If not, subscribers are told the newest known quotes again. */
export const createHandler = (ports: FeedWatchPorts, told: Telemetry) =>
  middy<unknown, void>()
    .use(withTelemetry(told))
    .handler(async () => watchFeed(ports));

const told = telemetry('rebroadcast');
const client = documents();
export const handler = createHandler(
  {
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    catalogue: dynamoCatalogue({ table: table.topics(), client }),
    jobs: jobsQueue(),
    clock: systemClock(),
    report: told.report,
    freshness: freshness(),
    hours: marketHours(),
    feedDownSeconds: limits.feedDownSeconds(),
  },
  told,
);

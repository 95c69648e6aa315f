import { randomUUID } from 'node:crypto';
import { makeChannels } from '../../core/channels/channels.ts';
import type { DrainPorts } from '../../core/delivery/drain.ts';
import { TURN_SECONDS } from '../../core/names.ts';
import type { Report } from '../../core/ports.ts';
import { systemClock } from './clock.ts';
import { dynamoAudience } from './dynamo/audience.ts';
import { documents } from './dynamo/client.ts';
import { dynamoClients } from './dynamo/clients.ts';
import { dynamoConnections } from './dynamo/connections.ts';
import { dynamoRegistrations } from './dynamo/registrations.ts';
import { dynamoTopics } from './dynamo/topics.ts';
import { dynamoTurns } from './dynamo/turns.ts';
import { freshness, limits, table } from './env.ts';
import { newEpoch } from './epoch.ts';
import { apiGateway } from './gateway.ts';
import { jobsQueue } from './queues.ts';

/** More than one try of a post may take (`TRY_MS` in `gateway.ts`); before each try the turn is made sure of. */
const MARGIN_MS = 4_000;
const POSTS_AT_ONCE = 96;

/** What every function needs that drains. */
export function drainPorts(report: Report, client = documents()): DrainPorts {
  return {
    topics: dynamoTopics({ table: table.topics(), newEpoch, client }),
    turns: dynamoTurns({ table: table.topics(), client }),
    audience: dynamoAudience({ table: table.subscriptions(), client }),
    connections: dynamoConnections({ table: table.connections(), client }),
    clients: dynamoClients({ table: table.connections(), client }),
    gateway: apiGateway(),
    jobs: jobsQueue(),
    registrations: dynamoRegistrations({ table: table.settings(), client }),
    clock: systemClock(),
    report,
    channels: makeChannels({ freshness: freshness() }),
    newId: randomUUID,
    drainSettings: {
      turnMs: TURN_SECONDS * 1000,
      marginMs: MARGIN_MS,
      broadcastsPerSecond: limits.broadcastsPerSecond(),
      postsAtOnce: POSTS_AT_ONCE,
    },
  };
}

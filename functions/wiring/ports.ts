/** The composition root: the adapter behind each port. A function takes the groups it uses; the bundler drops the others. */
import { randomUUID } from 'node:crypto';
import type { Channels } from '../../core/channels/channels.ts';
import { ENV, TURN_SECONDS } from '../../core/names.ts';
import type { Report } from '../../core/ports/report.ts';
import { systemClock } from '../adapters/clock.ts';
import { dynamoAnnouncements } from '../adapters/dynamo/announcements.ts';
import { dynamoAudience } from '../adapters/dynamo/audience.ts';
import { dynamoCatalogue } from '../adapters/dynamo/catalogue.ts';
import { dynamoClients } from '../adapters/dynamo/clients.ts';
import { dynamoConnections } from '../adapters/dynamo/connections.ts';
import { placeKey, registrationKey } from '../adapters/dynamo/keys.ts';
import { dynamoOwnSubscriptions } from '../adapters/dynamo/own-subscriptions.ts';
import { dynamoRegistrations } from '../adapters/dynamo/registrations.ts';
import { dynamoRevocations } from '../adapters/dynamo/revocations.ts';
import { dynamoStreams } from '../adapters/dynamo/streams.ts';
import { dynamoTable } from '../adapters/dynamo/table.ts';
import { dynamoTickets } from '../adapters/dynamo/tickets.ts';
import { dynamoTopics } from '../adapters/dynamo/topics.ts';
import { dynamoTurns } from '../adapters/dynamo/turns.ts';
import { limits, requireEnv } from '../adapters/env.ts';
import { newEpoch } from '../adapters/epoch.ts';
import { apiGateway } from '../adapters/gateway.ts';
import { jobsQueue } from '../adapters/queues.ts';
import { telemetry as makeTelemetry } from '../adapters/report.ts';

/** Longer than one try of a post may take (`TRY_MS` in `gateway.ts`): the turn is verified before each try. */
const MARGIN_MS = 4_000;
const POSTS_AT_ONCE = 96;

/** A function knows only the tables that its construct granted it. */
const connectionsTable = () => dynamoTable(requireEnv(ENV.connectionsTable));
const topicsTable = () => dynamoTable(requireEnv(ENV.topicsTable));

/** Needed by every function. */
export function basics(service: string) {
  const telemetry = makeTelemetry(service);
  return { telemetry, clock: systemClock(), report: telemetry.report, newId: () => randomUUID() };
}

export const topics = ({ lifeOf }: Channels) => dynamoTopics({ table: topicsTable(), newEpoch, lifeOf });
export const turns = ({ lifeOf }: Channels) => dynamoTurns({ table: topicsTable(), lifeOf });
export const catalogue = () => dynamoCatalogue({ table: topicsTable() });
const settingsTable = () => dynamoTable(requireEnv(ENV.settingsTable));
export const registrations = () => dynamoRegistrations({ table: settingsTable(), keyOf: registrationKey });
export const places = () => dynamoRegistrations({ table: settingsTable(), keyOf: placeKey });
export const tickets = () => dynamoTickets({ table: settingsTable() });
export const revocations = () => dynamoRevocations({ table: settingsTable() });
export const announcements = () => dynamoAnnouncements({ table: connectionsTable() });
export const connections = () => dynamoConnections({ table: connectionsTable() });
export const streams = (lifeMs: number) => dynamoStreams({ table: connectionsTable(), lifeMs });

export const clients = () => dynamoClients({ table: connectionsTable() });

/** Needed to delete a connection and its subscriptions. */
export const connectionPorts = () => ({
  connections: connections(),
  ownSubscriptions: dynamoOwnSubscriptions({ table: connectionsTable() }),
  clients: clients(),
  audience: dynamoAudience({ table: dynamoTable(requireEnv(ENV.subscriptionsTable)) }),
});

/** Needed to drain a topic. */
export const drainPorts = (channels: Channels, report: Report) => ({
  ...connectionPorts(),
  topics: topics(channels),
  turns: turns(channels),
  registrations: registrations(),
  gateway: apiGateway(report),
  jobs: jobsQueue(),
  drainSettings: {
    turnMs: TURN_SECONDS * 1000,
    marginMs: MARGIN_MS,
    broadcastsPerSecond: limits.broadcastsPerSecond(),
    postsAtOnce: POSTS_AT_ONCE,
  },
});

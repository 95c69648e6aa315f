import { channelsOf } from '../../core/channels/channels.ts';
import type { DrainPorts } from '../../core/delivery/drain.ts';
import type { Identity } from '../../core/identity.ts';
import { handleMessage } from '../../core/sessions/handle-message.ts';
import type { MessagePorts } from '../../core/sessions/session.ts';
import type { Settings } from '../../core/settings.ts';
import { systems } from '../../systems/index.ts';
import { memoryAudience } from './memory/audience.ts';
import { memoryBodies } from './memory/bodies.ts';
import { memoryCatalogue } from './memory/catalogue.ts';
import { memoryClients } from './memory/clients.ts';
import { memoryClock } from './memory/clock.ts';
import { memoryConnections } from './memory/connections.ts';
import { memoryDeadLetters } from './memory/dead-letters.ts';
import { memoryGateway } from './memory/gateway.ts';
import { memoryJobs, memoryWork } from './memory/jobs.ts';
import { memoryRegistrations } from './memory/registrations.ts';
import { memoryReport } from './memory/report.ts';
import { memoryRevocations } from './memory/revocations.ts';
import { memoryTickets } from './memory/tickets.ts';
import { memoryTopics } from './memory/topics.ts';
import { memoryTurns } from './memory/turns.ts';

/** The settings of all systems, with their defaults. */
export const settings: Settings = Object.fromEntries(
  systems.flatMap((system) => system.settings.map(({ name, fallback }) => [name, fallback])),
);

/** The channels of this deployment. */
export const channels = channelsOf(
  systems.flatMap((system) => system.channels),
  settings,
);

/** Every port in memory, with what tests read from it and set on it. */
export function memoryPorts() {
  const clock = memoryClock();
  let serial = 0;
  const ports = {
    clock,
    ...memoryConnections(),
    topics: memoryTopics(clock),
    turns: memoryTurns(),
    audience: memoryAudience(clock),
    clients: memoryClients(),
    maxConnections: 0,
    maxConnectionsPerClient: 5,
    registrations: memoryRegistrations(clock),
    places: memoryRegistrations(clock),
    catalogue: memoryCatalogue(),
    identity: {
      required: false,
      anonymousControl: true,
      verify: async () => Promise.reject(new Error('tokens are off here')),
      redeem: async () => Promise.reject(new Error('tickets are off here')),
      mayStay: async () => true,
    } as Identity,
    tickets: memoryTickets(),
    revocations: memoryRevocations(),
    mode: 'both' as const,
    gateway: memoryGateway(),
    jobs: memoryJobs(),
    deadLetters: memoryDeadLetters(),
    work: memoryWork(),
    report: memoryReport(),
    // nobody's key
    keys: { holderOf: async () => null },
    systems,
    settings,
    channels,
    messages: Object.assign({}, ...systems.map(({ messages }) => messages)),
    bodies: memoryBodies(),
    maxMessageBytes: 1_000_000,
    newId: () => `id${serial++}`,
    pingIntervalMs: 240_000,
    behindFrontDoor: false,
    maxSubscriptions: 500,
    pacePerSecond: 10,
    drainSettings: { turnMs: 10_000, marginMs: 4_000, broadcastsPerSecond: 5, postsAtOnce: 8 },
  };
  return ports satisfies DrainPorts & MessagePorts;
}

export type MemoryPorts = ReturnType<typeof memoryPorts>;

/** Opens a connection, and returns the function that sends a message on it. */
export async function senderOf(
  ports: MemoryPorts,
  connectionId: string,
): Promise<(message: object | string, receivedAtMs?: number) => Promise<void>> {
  const now = ports.clock.now();
  await ports.connections.open({
    connectionId,
    clientId: `client-${connectionId}`,
    dialect: 'json',
    connectedAtMs: now,
    expiresAtMs: now + 7_200_000,
    sourceIp: '',
    principal: null,
    admitted: true,
  });
  return (message, receivedAtMs = ports.clock.now()) =>
    handleMessage(
      { connectionId, text: typeof message === 'string' ? message : JSON.stringify(message), receivedAtMs, requestId: 'request' },
      ports,
    );
}

/** The messages that were posted to a connection. */
export const posted = (ports: MemoryPorts, connectionId: string): Record<string, unknown>[] =>
  ports.gateway.posted.filter((one) => one.connectionId === connectionId).map(({ frame }) => JSON.parse(frame) as Record<string, unknown>);

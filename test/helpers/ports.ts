import { makeChannels } from '../../core/channels/channels.ts';
import type { DrainPorts } from '../../core/delivery/drain.ts';
import { DEFAULT_FRESHNESS } from '../../core/quote.ts';
import type { MessagePorts } from '../../core/sessions/session.ts';
import {
  memoryAudience,
  memoryBodies,
  memoryCatalogue,
  memoryClients,
  memoryClock,
  memoryConnections,
  memoryGateway,
  memoryJobs,
  memoryRegistrations,
  memoryReport,
  memoryTopics,
  memoryTurns,
} from './memory.ts';

/** Every port, in memory, with its windows and levers. */
export function memoryPorts() {
  const clock = memoryClock();
  let serial = 0;
  const ports = {
    clock,
    topics: memoryTopics(clock),
    turns: memoryTurns(),
    audience: memoryAudience(clock),
    connections: memoryConnections(),
    clients: memoryClients(),
    maxConnectionsPerClient: 5,
    registrations: memoryRegistrations(clock),
    catalogue: memoryCatalogue(),
    identity: { required: false, anonymousControl: true, verify: async () => Promise.reject(new Error('nobody asks for tokens here')) },
    mode: 'both' as const,
    gateway: memoryGateway(),
    jobs: memoryJobs(),
    report: memoryReport(),
    channels: makeChannels({ freshness: DEFAULT_FRESHNESS }),
    bodies: memoryBodies(),
    maxMessageBytes: 1_000_000,
    newId: () => `id${serial++}`,
    pingIntervalMs: 240_000,
    maxSubscriptions: 500,
    pacePerSecond: 10,
    drainSettings: { turnMs: 10_000, marginMs: 4_000, broadcastsPerSecond: 5, postsAtOnce: 8 },
  };
  return ports satisfies DrainPorts & MessagePorts;
}

export type MemoryPorts = ReturnType<typeof memoryPorts>;

/** Opens a connection and says something on it. */
export async function speaker(
  ports: MemoryPorts,
  connectionId: string,
): Promise<(message: object | string, receivedAtMs?: number) => Promise<void>> {
  const { handleMessage } = await import('../../core/sessions/handle-message.ts');
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

/** What a connection was posted, as messages. */
export const told = (ports: MemoryPorts, connectionId: string): Record<string, unknown>[] =>
  ports.gateway.posted.filter((one) => one.connectionId === connectionId).map(({ frame }) => JSON.parse(frame) as Record<string, unknown>);

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { inject } from 'vitest';
import type { Ports } from '../../core/ports/ports.ts';
import { dynamoAnnouncements } from '../../functions/adapters/dynamo/announcements.ts';
import { dynamoAudience } from '../../functions/adapters/dynamo/audience.ts';
import { dynamoCatalogue } from '../../functions/adapters/dynamo/catalogue.ts';
import { dynamoClients } from '../../functions/adapters/dynamo/clients.ts';
import { dynamoConnections } from '../../functions/adapters/dynamo/connections.ts';
import { placeKey, registrationKey } from '../../functions/adapters/dynamo/keys.ts';
import { dynamoOwnSubscriptions } from '../../functions/adapters/dynamo/own-subscriptions.ts';
import { dynamoRegistrations } from '../../functions/adapters/dynamo/registrations.ts';
import { dynamoRevocations } from '../../functions/adapters/dynamo/revocations.ts';
import { dynamoTable } from '../../functions/adapters/dynamo/table.ts';
import { dynamoTickets } from '../../functions/adapters/dynamo/tickets.ts';
import { dynamoTopics } from '../../functions/adapters/dynamo/topics.ts';
import { dynamoTurns } from '../../functions/adapters/dynamo/turns.ts';
import { newEpoch } from '../../functions/adapters/epoch.ts';
import { tableLevers } from '../../local/base/levers.ts';
import { readTemplate } from '../../local/base/template.ts';
import { localTables } from '../../local/resources/tables.ts';
import { memoryAudience } from '../helpers/memory/audience.ts';
import { memoryCatalogue } from '../helpers/memory/catalogue.ts';
import { memoryClients } from '../helpers/memory/clients.ts';
import { type MemoryClock, memoryClock } from '../helpers/memory/clock.ts';
import { memoryConnections } from '../helpers/memory/connections.ts';
import { memoryRegistrations } from '../helpers/memory/registrations.ts';
import { memoryRevocations } from '../helpers/memory/revocations.ts';
import { memoryTickets } from '../helpers/memory/tickets.ts';
import { memoryTopics } from '../helpers/memory/topics.ts';
import { memoryTurns } from '../helpers/memory/turns.ts';
import { channels } from '../helpers/ports.ts';

export interface Tables
  extends Pick<
    Ports,
    | 'topics'
    | 'turns'
    | 'audience'
    | 'connections'
    | 'ownSubscriptions'
    | 'announcements'
    | 'clients'
    | 'catalogue'
    | 'registrations'
    | 'places'
    | 'tickets'
    | 'revocations'
  > {
  readonly clock: MemoryClock;
  /** From now on the reads that do without strength see what was written so far. `docs/access-patterns.md` lists them. */
  replicated(): Promise<void>;
  /** Each answer to a conditional write that was applied is lost, and the write is tried again. */
  readonly losesAnswers: boolean;
  stop(): Promise<void>;
}

/** A port has one suite, run against every implementation. */
export const implementations: readonly [string, () => Promise<Tables>][] = [
  ['memory', memoryTables],
  ['DynamoDB', () => dynamoTables()],
  ['DynamoDB whose answers to conditional writes are lost', () => dynamoTables({ loseWrites: 1 })],
];

/** One retry, at once, without the client's budget for retries: a suite in which every answer is lost would spend it. */
const token = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });
const retrying = {
  retryStrategy: {
    acquireInitialRetryToken: async () => token(0),
    async refreshRetryTokenForRetry(before: ReturnType<typeof token>, { errorType }: { errorType: string }) {
      if (before.getRetryCount() > 0 || errorType === 'CLIENT_ERROR') throw new Error('no retry');
      return token(1);
    },
    recordSuccess: () => undefined,
  },
};

async function memoryTables(): Promise<Tables> {
  const clock = memoryClock();
  return {
    clock,
    topics: memoryTopics(clock),
    turns: memoryTurns(),
    audience: memoryAudience(clock),
    ...memoryConnections(),
    clients: memoryClients(),
    catalogue: memoryCatalogue(),
    registrations: memoryRegistrations(clock),
    places: memoryRegistrations(clock),
    tickets: memoryTickets(),
    revocations: memoryRevocations(),
    replicated: async () => undefined,
    losesAnswers: false,
    stop: async () => undefined,
  };
}

export async function dynamoTables({
  onRequest,
  loseWrites = 0,
}: {
  onRequest?: (command: string) => void;
  /** Fraction of the conditional writes that are applied, and whose first answer is lost. */
  loseWrites?: number;
} = {}): Promise<Tables> {
  const resources = readTemplate(inject('templateFile')).ofType('AWS::DynamoDB::GlobalTable');
  // what a read must see, it must ask for: reads that do not ask see nothing of what the test writes
  const levers = tableLevers();
  const server = await localTables({ levers });
  for (const resource of resources) await server.create(resource);
  levers.staleReadsMs = Number.POSITIVE_INFINITY;
  levers.loseWrites = loseWrites;
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: server.endpoint, ...(loseWrites > 0 ? retrying : {}) }), {
    marshallOptions: { removeUndefinedValues: true },
  });
  if (onRequest) {
    client.middlewareStack.add(
      (next, context) => (args) => {
        onRequest(String(context['commandName']));
        return next(args);
      },
      { step: 'initialize' },
    );
  }
  const tableOf = (part: string) => dynamoTable(resources.find(({ id }) => id.includes(part))?.id ?? '', client);
  const clock = memoryClock();
  const { now } = clock;
  const { lifeOf } = channels;
  return {
    clock,
    topics: dynamoTopics({ table: tableOf('Topics'), newEpoch, now, lifeOf }),
    turns: dynamoTurns({ table: tableOf('Topics'), lifeOf }),
    audience: dynamoAudience({ table: tableOf('Subscriptions'), now }),
    connections: dynamoConnections({ table: tableOf('Connections'), now }),
    ownSubscriptions: dynamoOwnSubscriptions({ table: tableOf('Connections') }),
    announcements: dynamoAnnouncements({ table: tableOf('Connections') }),
    clients: dynamoClients({ table: tableOf('Connections') }),
    catalogue: dynamoCatalogue({ table: tableOf('Topics') }),
    registrations: dynamoRegistrations({ table: tableOf('Settings'), keyOf: registrationKey, now }),
    places: dynamoRegistrations({ table: tableOf('Settings'), keyOf: placeKey, now }),
    tickets: dynamoTickets({ table: tableOf('Settings') }),
    revocations: dynamoRevocations({ table: tableOf('Settings') }),
    losesAnswers: loseWrites > 0,
    async replicated() {
      levers.staleReadsMs = 0;
      // a call shows the tables that the lever is off; the next one copies them
      await server.deleteExpired(0);
      levers.staleReadsMs = Number.POSITIVE_INFINITY;
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { inject } from 'vitest';
import type { Audience, Catalogue, Clients, Connections, Registrations, Topics, Turns } from '../../core/ports.ts';
import { dynamoAudience } from '../../functions/adapters/dynamo/audience.ts';
import { dynamoCatalogue } from '../../functions/adapters/dynamo/catalogue.ts';
import { dynamoClients } from '../../functions/adapters/dynamo/clients.ts';
import { dynamoConnections } from '../../functions/adapters/dynamo/connections.ts';
import { dynamoRegistrations } from '../../functions/adapters/dynamo/registrations.ts';
import { dynamoTopics } from '../../functions/adapters/dynamo/topics.ts';
import { dynamoTurns } from '../../functions/adapters/dynamo/turns.ts';
import { newEpoch } from '../../functions/adapters/epoch.ts';
import { localTables } from '../../local/resources/tables.ts';
import { readTemplate } from '../../local/template.ts';
import {
  type MemoryClock,
  memoryAudience,
  memoryCatalogue,
  memoryClients,
  memoryClock,
  memoryConnections,
  memoryRegistrations,
  memoryTopics,
  memoryTurns,
} from '../helpers/memory.ts';

export interface Tables {
  readonly clock: MemoryClock;
  readonly topics: Topics;
  readonly turns: Turns;
  readonly audience: Audience;
  readonly connections: Connections;
  readonly clients: Clients;
  readonly catalogue: Catalogue;
  readonly registrations: Registrations;
  stop(): Promise<void>;
}

/** A port has one suite, run against every implementation. */
export const implementations: readonly [string, () => Promise<Tables>][] = [
  ['memory', memoryTables],
  ['DynamoDB', () => dynamoTables()],
];

async function memoryTables(): Promise<Tables> {
  const clock = memoryClock();
  return {
    clock,
    topics: memoryTopics(clock),
    turns: memoryTurns(),
    audience: memoryAudience(clock),
    connections: memoryConnections(),
    clients: memoryClients(),
    catalogue: memoryCatalogue(),
    registrations: memoryRegistrations(clock),
    stop: async () => undefined,
  };
}

export async function dynamoTables(onRequest?: (command: string) => void): Promise<Tables> {
  const resources = readTemplate(inject('templateFile')).ofType('AWS::DynamoDB::GlobalTable');
  const server = await localTables(resources, null);
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: server.endpoint }), {
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
  const nameOf = (part: string): string => resources.find(({ id }) => id.includes(part))?.id ?? '';
  const clock = memoryClock();
  return {
    clock,
    topics: dynamoTopics({ table: nameOf('Topics'), newEpoch, now: clock.now, client }),
    turns: dynamoTurns({ table: nameOf('Topics'), client }),
    audience: dynamoAudience({ table: nameOf('Subscriptions'), now: clock.now, client }),
    connections: dynamoConnections({ table: nameOf('Connections'), now: clock.now, client }),
    clients: dynamoClients({ table: nameOf('Connections'), client }),
    catalogue: dynamoCatalogue({ table: nameOf('Topics'), client }),
    registrations: dynamoRegistrations({ table: nameOf('Settings'), now: clock.now, client }),
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

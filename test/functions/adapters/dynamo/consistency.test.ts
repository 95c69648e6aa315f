/**
 * Which reads are strongly consistent, checked on the command that is sent. The port suites (`test/ports`) check what that is for:
 * there, reads that do not ask for it are stale. `docs/access-patterns.md` lists those that do without.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, test } from 'vitest';
import { dynamoAudience } from '../../../../functions/adapters/dynamo/audience.ts';
import { dynamoCatalogue } from '../../../../functions/adapters/dynamo/catalogue.ts';
import { dynamoConnections } from '../../../../functions/adapters/dynamo/connections.ts';
import { registrationKey } from '../../../../functions/adapters/dynamo/keys.ts';
import { dynamoOwnSubscriptions } from '../../../../functions/adapters/dynamo/own-subscriptions.ts';
import { dynamoRegistrations } from '../../../../functions/adapters/dynamo/registrations.ts';
import { dynamoStreams } from '../../../../functions/adapters/dynamo/streams.ts';
import { dynamoTable } from '../../../../functions/adapters/dynamo/table.ts';
import { dynamoTopics } from '../../../../functions/adapters/dynamo/topics.ts';
import { dynamoTurns } from '../../../../functions/adapters/dynamo/turns.ts';

const documents = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const dynamo = mockClient(documents);
const table = dynamoTable('table', documents);
beforeEach(() => {
  dynamo.reset();
  dynamo.onAnyCommand().resolves({});
});

const topics = dynamoTopics({ table, newEpoch: () => 'e', lifeOf: () => null });
const turns = dynamoTurns({ table, lifeOf: () => null });
const audience = dynamoAudience({ table });
const connections = dynamoConnections({ table });
const ownSubscriptions = dynamoOwnSubscriptions({ table });
const catalogue = dynamoCatalogue({ table });
const registrations = dynamoRegistrations({ table, keyOf: registrationKey });
const streams = dynamoStreams({ table, lifeMs: 55_000 });
const KEY = { topic: 't', shard: 0, connectionId: 'c', subscriptionId: 's' };
const all = async (pages: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of pages);
};

/** Whether each read that was sent is strongly consistent. */
const consistency = (): (boolean | undefined)[] => [
  ...dynamo.commandCalls(GetCommand).map(({ args: [command] }) => command.input.ConsistentRead),
  ...dynamo.commandCalls(BatchGetCommand).map(({ args: [command] }) => command.input.RequestItems?.['table']?.ConsistentRead),
  ...dynamo.commandCalls(QueryCommand).map(({ args: [command] }) => command.input.ConsistentRead),
];

test.each<[string, () => Promise<unknown>]>([
  ["a topic's state", () => topics.read(['t'])],
  ['the states of several topics', () => topics.read(['t', 'u'])],
  ["a log's messages", () => topics.readLog('t', 3, 10)],
  ['the age of a message of a log', () => topics.committedAfter('t', 3)],
  ['a turn', () => turns.read('t', 0)],
  ['an audience', () => all(audience.pages('t', 0))],
  ['known subscriptions', () => audience.find([KEY])],
  ["a connection's record", () => connections.read('c')],
  ["a connection's own subscriptions", () => ownSubscriptions.list('c')],
  ["a connection's own subscriptions of one id", () => ownSubscriptions.list('c', 's')],
  ['a registration', () => registrations.find('t')],
  ['the number of connections that is set right', () => connections.recount()],
])('%s is read strongly consistent', async (_, read) => {
  await read();

  expect(consistency()).toEqual([true]);
});

test.each<[string, () => Promise<unknown>]>([
  ['the number of connections, which is only about right', () => connections.counted()],
  ['a status, which is a minute old', () => catalogue.status('feed')],
  ['the streams of the stretch before, whose number is only about right', () => streams.enter(1_000_000)],
  ['the listed topics, which a later look finds', () => catalogue.topics('price')],
  ['the names of topics, which may be given a moment later', () => catalogue.names('price', ['t'])],
  ['whether topics are listed, since an item that is put again is the same', () => catalogue.listNew('price', ['t'])],
  ['the heard topics, which a later look finds', () => catalogue.heard()],
])('%s, may be read a little stale', async (_, read) => {
  await read();

  expect(new Set(consistency())).toEqual(new Set([false]));
});

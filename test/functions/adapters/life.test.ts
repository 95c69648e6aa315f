/** Topics of a channel with a lifetime expire by time to live; the others are kept for good. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { dynamoTable, type Table } from '../../../functions/adapters/dynamo/table.ts';
import { dynamoTopics } from '../../../functions/adapters/dynamo/topics.ts';
import { dynamoTurns } from '../../../functions/adapters/dynamo/turns.ts';
import { readTemplate } from '../../../local/base/template.ts';
import { localTables } from '../../../local/resources/tables.ts';
import { channels } from '../../helpers/ports.ts';

const { lifeOf } = channels;

const NOW = Date.UTC(2026, 1, 6);
const DAY_SECONDS = 86_400;
let server: Awaited<ReturnType<typeof localTables>>;
let client: DynamoDBDocumentClient;
let table: Table;
let name: string;
beforeAll(async () => {
  const resources = readTemplate(inject('templateFile')).ofType('AWS::DynamoDB::GlobalTable');
  name = resources.find(({ id }) => id.includes('Topics'))?.id ?? '';
  server = await localTables();
  for (const resource of resources) await server.create(resource);
  client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: server.endpoint }));
  table = dynamoTable(name, client);
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});
const item = async (topic: string, of: string) => (await client.send(new GetCommand({ TableName: name, Key: { topic, item: of } }))).Item;

test("a buyer's topic and its cursor expire two days after the topic was last subscribed to or written", async () => {
  const topics = dynamoTopics({ table, newEpoch: () => 'e', now: () => NOW, lifeOf });
  const turns = dynamoTurns({ table, lifeOf });
  const topic = '/topic/waiting-queue/1/100';

  expect(await topics.create(topic)).toMatchObject({ head: 0, heard: false, expiresAtMs: NOW + 2 * DAY_SECONDS * 1000 });
  expect(await topics.hear(topic)).toMatchObject({ heard: true });
  await turns.poke(topic, 0, 'me', NOW);

  expect(await item(topic, 'state')).toMatchObject({ expiresAt: NOW / 1000 + 2 * DAY_SECONDS });
  expect(await item(topic, 'cursor#0')).toMatchObject({ expiresAt: NOW / 1000 + 2 * DAY_SECONDS });
});

test('a ticker is kept for good', async () => {
  const topics = dynamoTopics({ table, newEpoch: () => 'e', now: () => NOW, lifeOf });
  await topics.hear('price:005930');
  await dynamoTurns({ table, lifeOf }).poke('price:005930', 0, 'me', NOW);

  expect(await item('price:005930', 'state')).not.toHaveProperty('expiresAt');
  expect(await item('price:005930', 'cursor#0')).not.toHaveProperty('expiresAt');
});

/** Items as they stand in the tables, where no port shows them. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dynamoAnnouncements } from '../../../../functions/adapters/dynamo/announcements.ts';
import { dynamoCatalogue } from '../../../../functions/adapters/dynamo/catalogue.ts';
import { dynamoClients } from '../../../../functions/adapters/dynamo/clients.ts';
import { dynamoConnections } from '../../../../functions/adapters/dynamo/connections.ts';
import { dynamoStreams } from '../../../../functions/adapters/dynamo/streams.ts';
import { dynamoTable } from '../../../../functions/adapters/dynamo/table.ts';
import { readTemplate } from '../../../../local/base/template.ts';
import { localTables } from '../../../../local/resources/tables.ts';
import { fresh, opened } from '../../../ports/fixtures.ts';

let server: Awaited<ReturnType<typeof localTables>>;
let client: DynamoDBDocumentClient;
let connectionsTable: string;
let topicsTable: string;
beforeAll(async () => {
  const resources = readTemplate(inject('templateFile')).ofType('AWS::DynamoDB::GlobalTable');
  const nameOf = (part: string): string => resources.find(({ id }) => id.includes(part))?.id ?? '';
  connectionsTable = nameOf('Connections');
  topicsTable = nameOf('Topics');
  server = await localTables();
  for (const resource of resources) await server.create(resource);
  client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: server.endpoint }));
});
afterAll(async () => {
  client.destroy();
  await server.stop();
});
const table = () => dynamoTable(connectionsTable, client);
const item = async (connectionId: string, name: string) =>
  (await client.send(new GetCommand({ TableName: connectionsTable, Key: { connectionId, item: name }, ConsistentRead: true }))).Item;

describe('a client', () => {
  const one = (connectedAtMs = 1_000) => ({ connectionId: fresh('connection'), connectedAtMs });

  test('has one item with its connections, which expires when none of them can be left', async () => {
    const clients = dynamoClients({ table: table() });
    const [name, a, b] = [fresh('user'), one(1_000), one(2_000)];
    await clients.enter(name, a, 1_000);
    await clients.enter(name, b, 2_000);

    expect(await item(`client#${name}`, 'members')).toMatchObject({
      members: new Set([`1000#${a.connectionId}`, `2000#${b.connectionId}`]),
      expiresAt: (2_000 + 2 * 3_600_000 + 10 * 60_000) / 1_000,
    });
  });

  test('keeps its item while a connection is left, and has none after the last has left', async () => {
    const clients = dynamoClients({ table: table() });
    const [name, a, b] = [fresh('user'), one(), one()];
    await clients.enter(name, a, 1_000);
    await clients.enter(name, b, 1_000);

    await clients.leave(name, a);
    expect((await item(`client#${name}`, 'members'))?.['members']).toEqual(new Set([`1000#${b.connectionId}`]));
    await clients.leave(name, b);

    expect(await item(`client#${name}`, 'members')).toBeUndefined();
  });

  test('that nobody knows gets no item by leaving', async () => {
    const name = fresh('nobody');

    await dynamoClients({ table: table() }).leave(name, one());

    expect(await item(`client#${name}`, 'members')).toBeUndefined();
  });

  test('keeps a connection that enters while the last one leaves', async () => {
    const plain = table();
    const name = fresh('user');
    const [a, b] = [one(), one()];
    const racing = dynamoClients({
      table: {
        ...plain,
        async delete(key, condition) {
          await dynamoClients({ table: plain }).enter(name, b, 1_000);
          return plain.delete(key, condition);
        },
      },
    });
    await racing.enter(name, a, 1_000);
    await racing.leave(name, a);

    expect((await item(`client#${name}`, 'members'))?.['members']).toEqual(new Set([`1000#${b.connectionId}`]));
  });
});

describe('a connection', () => {
  test('of JSON that its handshake admitted becomes one of STOMP by its first CONNECT, and by no second', async () => {
    const connections = dynamoConnections({ table: table() });
    const name = fresh('connection');
    await connections.open({ ...opened(name), dialect: 'json', admitted: true });

    expect(await connections.admit(name, { dialect: 'stomp-1.2', principal: null })).toBe(true);
    expect(await connections.admit(name, { dialect: 'stomp-1.1', principal: null })).toBe(false);

    expect(await item(name, 'self')).toMatchObject({ dialect: 'stomp-1.2', admitted: true });
  });

  test('of STOMP is admitted by its CONNECT, once', async () => {
    const connections = dynamoConnections({ table: table() });
    const name = fresh('connection');
    await connections.open({ ...opened(name), dialect: 'stomp-1.2', admitted: false });
    expect(await item(name, 'self')).not.toHaveProperty('admitted');

    expect(await connections.admit(name, { dialect: 'stomp-1.1', principal: null })).toBe(true);
    expect(await connections.admit(name, { dialect: 'stomp-1.1', principal: null })).toBe(false);
  });

  test('that is gone is not admitted, and does not come back', async () => {
    const name = fresh('connection');

    expect(await dynamoConnections({ table: table() }).admit(name, { dialect: 'stomp-1.1', principal: null })).toBe(false);

    expect(await item(name, 'self')).toBeUndefined();
  });

  test('leaves nothing of what it announced when it closes', async () => {
    const connections = dynamoConnections({ table: table() });
    const name = fresh('connection');
    await connections.open(opened(name));
    await dynamoAnnouncements({ table: table() }).announce(name, { clientId: 'me', info: { language: 'ko' } }, 'all', 5_000);
    expect(await item(name, 'info')).toEqual({ connectionId: name, item: 'info', info: { language: 'ko' }, expiresAt: 5 });

    await connections.close(name);

    expect(await item(name, 'info')).toBeUndefined();
    expect(await item(name, 'self')).toBeUndefined();
  });
});

describe('the open streams', () => {
  const LIFE_MS = 55_000;
  const at = (stretch: number, ms = 0): number => stretch * LIFE_MS + ms;
  const streamsItem = (stretch: number) => item('streams#', String(stretch));

  test('are those that began in this stretch of time and in the one before', async () => {
    const streams = dynamoStreams({ table: table(), lifeMs: LIFE_MS });

    expect(await streams.enter(at(10))).toBe(1);
    expect(await streams.enter(at(10, LIFE_MS - 1))).toBe(2);
    expect(await streams.enter(at(11))).toBe(3);
    expect(await streams.enter(at(12))).toBe(2);
    expect(await streams.enter(at(14))).toBe(1);
  });

  test('are fewer when one ends, in whichever stretch it began', async () => {
    const streams = dynamoStreams({ table: table(), lifeMs: LIFE_MS });
    await streams.enter(at(20));
    await streams.enter(at(20));
    await streams.leave(at(20, 7));

    expect(await streams.enter(at(21))).toBe(2);
    await streams.leave(at(21, 7));
    expect(await streams.enter(at(21))).toBe(2);
  });

  test('have an item a stretch, which expires when no look needs it any more', async () => {
    await dynamoStreams({ table: table(), lifeMs: LIFE_MS }).enter(at(30, 7));

    expect(await streamsItem(30)).toEqual({ connectionId: 'streams#', item: '30', open: 1, expiresAt: at(33) / 1_000 });
  });
});

describe('a heard topic', () => {
  const heard = async (topic: string) =>
    (await client.send(new GetCommand({ TableName: topicsTable, Key: { topic: 'heard#', item: topic }, ConsistentRead: true }))).Item;

  test('that may soon be unheard says so, until it is heard again', async () => {
    const catalogue = dynamoCatalogue({ table: dynamoTable(topicsTable, client) });
    const topic = fresh('topic');
    await catalogue.addHeard(topic, 5);
    await catalogue.markLeaving(topic);

    expect(await heard(topic)).toEqual({ topic: 'heard#', item: topic, at: 5, leaving: true });
    expect(await catalogue.heard()).toContainEqual({ topic, atMs: 5, leaving: true });
    await catalogue.addHeard(topic, 6);
    expect(await catalogue.heard()).toContainEqual({ topic, atMs: 6, leaving: false });
  });

  test('that was heard again is not removed', async () => {
    const catalogue = dynamoCatalogue({ table: dynamoTable(topicsTable, client) });
    const topic = fresh('topic');
    await catalogue.addHeard(topic, 5);
    await catalogue.addHeard(topic, 6);

    await catalogue.removeHeard(topic, 5);
    expect(await heard(topic)).toMatchObject({ at: 6 });
    await catalogue.removeHeard(topic, 6);

    expect(await heard(topic)).toBeUndefined();
  });
});

test('connections that came and went leave nothing but the counter in the table that the sweep reads', async () => {
  const lone = await localTables();
  const resource = readTemplate(inject('templateFile'))
    .ofType('AWS::DynamoDB::GlobalTable')
    .find(({ id }) => id === connectionsTable);
  if (resource) await lone.create(resource);
  const own = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: lone.endpoint }));
  const connections = dynamoConnections({ table: dynamoTable(connectionsTable, own) });
  const clients = dynamoClients({ table: dynamoTable(connectionsTable, own) });
  for (const name of ['a', 'b']) {
    await connections.open(opened(name));
    await clients.enter('user#me', { connectionId: name, connectedAtMs: 1 }, 1);
  }
  for (const name of ['a', 'b']) {
    await connections.close(name);
    await clients.leave('user#me', { connectionId: name, connectedAtMs: 1 });
  }

  const { Items } = await own.send(new ScanCommand({ TableName: connectionsTable, ConsistentRead: true }));
  own.destroy();
  await lone.stop();

  expect(Items?.map(({ connectionId, count }) => [String(connectionId).split('#')[0], count])).toEqual([
    ['counter', 0],
    ['counter', 0],
  ]);
});

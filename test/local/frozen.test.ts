/** An environment that was frozen wakes with an old clock: it must neither trust a turn that has ended nor sign with an old date. */
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TURN_SECONDS } from '../../core/names.ts';
import { dynamoTable } from '../../functions/adapters/dynamo/table.ts';
import { dynamoTurns } from '../../functions/adapters/dynamo/turns.ts';
import { connect, ofType } from '../helpers/client.ts';
import { tick } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';

let own: OwnRun;
beforeEach(async () => {
  own = await ownRun();
});
afterEach(() => own.run.stop());

/** A client of one ticker. */
async function listener() {
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: 'price:005930' });
  await client.until(ofType('subscribed'));
  return client;
}

const tablesClient = () =>
  new DynamoDBClient({ region: 'local', endpoint: own.run.tablesEndpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

describe('functions whose environments were frozen for six minutes', () => {
  test('are accepted by each service they call', async () => {
    for (const name of ['ws-connect', 'ws-message', 'rest', 'ingest', 'fan-out', 'ws-disconnect']) own.run.levers.freeze.set(name, 1);
    const client = await listener();

    for (const lane of ['bus', 'direct'] as const) await own.publish([tick('005930', lane === 'bus' ? 1000 : 1001)], lane);
    await client.until(({ data }) => (data as { price?: number } | undefined)?.price === 1001, 'the price');
    await client.close();
    await own.run.settled();

    expect(own.logs.filter((line) => /ERROR|refuses|Signature/.test(line))).toEqual([]);
    expect(own.run.pending()).toBe(0);
  });

  test('take over a turn whose holder died', async () => {
    const { run } = own;
    const client = await listener();
    const [table = ''] = ((await tablesClient().send(new ListTablesCommand({}))).TableNames ?? []).filter((name) =>
      name.includes('Topics'),
    );
    const turns = dynamoTurns({ table: dynamoTable(table, DynamoDBDocumentClient.from(tablesClient())), lifeOf: () => null });
    await turns.poke('price:005930', 0, 'dead', run.clock.now() + TURN_SECONDS * 1000);
    run.levers.freeze.set('ingest', 1).set('fan-out', 1);

    run.clock.advance(TURN_SECONDS * 1000 + 1);
    await own.publish([tick('005930', 1000)]);
    await run.settled();

    expect(client.received.filter(ofType('price_update'))).toMatchObject([{ data: { price: 1000 } }]);
    await client.close();
  });
});

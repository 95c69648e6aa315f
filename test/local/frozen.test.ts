/** An environment that was frozen wakes with an old clock: it must neither trust a turn that has ended nor sign with an old date. */
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TURN_SECONDS } from '../../core/names.ts';
import { dynamoTable } from '../../functions/adapters/dynamo/table.ts';
import { dynamoTurns } from '../../functions/adapters/dynamo/turns.ts';
import { connect, ofType } from '../helpers/client.ts';
import { alert, tick } from '../helpers/events.ts';
import { type OwnRun, ownRun, tablesClient } from '../helpers/local.ts';
import { readStream } from '../helpers/sse.ts';

let own: OwnRun;
beforeEach(async () => {
  own = await ownRun();
});
afterEach(() => own.run.stop());

const FUNCTIONS = ['ws-connect', 'ws-message', 'rest', 'ingest', 'fan-out', 'ws-disconnect', 'sweep', 'minute', 'sse'];

/** A log line of a frozen environment: its time is that of the wrong clock. */
const isOld = (line: string): boolean => {
  const [, time = ''] = /"timestamp":"([^"]+)"/.exec(line) ?? [];
  return own.run.clock.now() - Date.parse(time) > 5 * 60_000;
};

/** A client of one ticker. */
async function listener() {
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: 'price:005930' });
  await client.until(ofType('subscribed'));
  return client;
}

describe('functions whose environments were frozen for six minutes', () => {
  test('are accepted by each service they call', async () => {
    for (const name of FUNCTIONS) own.run.levers.freeze.set(name, 1);
    const client = await listener();

    for (const lane of ['bus', 'direct'] as const) await own.publish([tick('005930', lane === 'bus' ? 1000 : 1001)], lane);
    await client.until(({ data }) => (data as { price?: number } | undefined)?.price === 1001, 'the price');
    // a body in the bucket, the housekeeping, and a stream
    await own.publish([alert({ message: 'x'.repeat(200_000) })]);
    await own.run.settled();
    await Promise.all(['sweep', 'minute'].map((name) => own.run.invoke(name)));
    const stream = await readStream(`${own.url}/api/reservations/v5/subscribe?userId=1&seatId=1`);
    await stream.until((text) => text !== '');
    await stream.close();
    await client.close();
    await own.run.settled();

    // those that log something each time were frozen indeed
    const LOGGING = ['ws-connect', 'ws-message', 'ingest', 'sweep', 'sse'];
    expect(LOGGING.filter((name) => !own.logs.some((line) => line.startsWith(`${name}:`) && isOld(line)))).toEqual([]);
    expect(own.logs.filter((line) => /ERROR|refuses|Signature/.test(line))).toEqual([]);
    expect(own.run.pending()).toBe(0);
  });

  test('take over a turn whose holder died', async () => {
    const { run } = own;
    const client = await listener();
    const [table = ''] = ((await tablesClient(run).send(new ListTablesCommand({}))).TableNames ?? []).filter((name) =>
      name.includes('Topics'),
    );
    const turns = dynamoTurns({ table: dynamoTable(table, DynamoDBDocumentClient.from(tablesClient(run))), lifeOf: () => null });
    await turns.poke('price:005930', 0, 'dead', run.clock.now() + TURN_SECONDS * 1000);
    run.levers.freeze.set('ingest', 1).set('fan-out', 1);

    run.clock.advance(TURN_SECONDS * 1000 + 1);
    await own.publish([tick('005930', 1000)]);
    await run.settled();

    expect(client.received.filter(ofType('price_update'))).toMatchObject([{ data: { price: 1000 } }]);
    await client.close();
  });
});

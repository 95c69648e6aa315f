/** Clients that vanish without a word: whoever finds them gone deletes what they left. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshTicker, tick } from '../helpers/events.ts';
import { itemsOf, type OwnRun, ownRun } from '../helpers/local.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

test('the delivery that finds a client gone deletes its connection and subscription, and counts it no more', async () => {
  const ticker = freshTicker();
  own.run.levers.loseDisconnects = 1;
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: `price:${ticker}` });
  await client.until(ofType('subscribed'));
  await client.close();
  await own.run.settled();
  expect((await own.get('/api/health')).body['connections']).toBe(1);
  // one that is younger may not be known to the gateway yet
  own.run.clock.advance(3_000);
  await own.publish([tick(ticker, 1)]);
  await own.run.settled();

  expect((await own.get('/api/health')).body['connections']).toBe(0);
  const left = await itemsOf(own.run);
  expect(left.filter((item) => item['item'] === 'self' || String(item['audience'] ?? '').includes(ticker))).toEqual([]);
});

/** A registration holds the place of a user's next subscription, until that has got something: whoever delivers that uses it up. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Message, ofType } from '../helpers/client.ts';
import { freshId, settled } from '../helpers/events.ts';
import { itemsOf, type OwnRun, runWith } from '../helpers/local.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await runWith({});
});
afterAll(() => own.run.stop());

const delivered = ({ type, position }: Message): boolean => position !== undefined && type !== 'subscribed';
const registrationsOf = async (topic: string): Promise<number> =>
  (await itemsOf(own.run)).filter(({ kind, id }) => kind !== undefined && String(id).includes(topic)).length;

async function registered() {
  const [userId, seatId] = [freshId(), freshId()];
  const topic = `/topic/reservations/${seatId}/${userId}`;
  await own.post('/api/push/websocket/reservations/subscriptions', { userId, seatId }, {});
  expect(await registrationsOf(topic)).toBe(1);
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic });
  return { topic, client, publish: () => own.publish([settled(seatId, userId, 'SUCCESS')]) };
}

test('the drain of the first event after the subscription', async () => {
  const { topic, client, publish } = await registered();
  await client.until(ofType('subscribed'));
  await publish();
  await client.until(delivered);
  await own.run.settled();

  expect(await registrationsOf(topic)).toBe(0);
  await client.close();
});

test('the job that catches a slow client up', async () => {
  const { topic, client, publish } = await registered();
  await client.until(ofType('subscribed'));
  own.run.levers.throttlePosts = 1;
  await publish();
  await own.run.settled();
  own.run.levers.throttlePosts = 0;
  expect(await registrationsOf(topic)).toBe(1);
  own.run.clock.advance(5_000);
  await client.until(delivered);
  await own.run.settled();

  expect(await registrationsOf(topic)).toBe(0);
  await client.close();
});

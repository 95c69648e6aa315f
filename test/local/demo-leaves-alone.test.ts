/** Somebody who publishes what the demo publishes too sees it for a while: the demo leaves that topic alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOnSale } from '../../local/demo/on-sale.ts';
import { connect, type Message } from '../helpers/client.ts';
import { rank } from '../helpers/events.ts';
import { type OwnRun, ownRun } from '../helpers/local.ts';

let own: OwnRun;
beforeAll(async () => {
  own = await ownRun();
});
afterAll(() => own.run.stop());

test('a rank of the shown buyer is not overwritten by the next moves of the demo', { timeout: 60_000 }, async () => {
  const rankOf = ({ data }: Message): unknown => (data as { rank?: number } | undefined)?.rank;
  const client = await connect(own.url);
  for (const userId of [100, 101]) client.send({ type: 'subscribe', topic: `/topic/waiting-queue/1/${userId}` });
  const stop = startOnSale({ clock: own.run.clock, url: own.url, key: own.key, warn: () => undefined, moveMs: 700 });
  const ofBuyer = (userId: number) => (message: Message) => message['userId'] === userId && message['event'] === 'RANK_UPDATE';
  await client.until(ofBuyer(100));

  // a move of the demo within the same fifth of a second is newer, and the only one that is delivered
  await own.eventually(
    async () => {
      await own.publish([rank(1, 100, 4_321)]);
      return client.received.map(rankOf);
    },
    (ranks) => ranks.includes(4_321),
  );
  await client.until((message) => ofBuyer(100)(message) && rankOf(message) === 4_321);
  // the demo goes on: its moves are seen by the ranks of another buyer. Those that were on their way are over after some of them
  for (let moves = 0; moves < 3; moves++) await client.until(ofBuyer(101));
  const from = client.received.length;
  for (let moves = 0; moves < 4; moves++) await client.until(ofBuyer(101));

  const others = client.received.slice(from).filter(ofBuyer(100)).map(rankOf);
  expect(others.filter((one) => one !== 4_321)).toEqual([]);
  await stop();
  await client.close();
});

/** Clients get quotes in order without sorting them, despite duplicates, reordering and killed functions. */
import { expect, test } from 'vitest';
import { type Client, connect, ofType } from '../helpers/client.ts';
import { tick } from '../helpers/events.ts';
import { ownRun } from '../helpers/local.ts';

const CLIENTS = 20;
const PUBLISHERS = 4;
/** TICKS=2000 publishes more. */
const TICKS = Number(process.env['TICKS'] ?? 1_000);
const PER_REQUEST = 10;
const TICKER = '005930';

/** Longer than a failed record stays invisible, and longer than a turn. */
const VISIBILITY_MS = 36_000;

test('clients that do not sort never see an older quote after a newer one, and end on the newest', { timeout: 120_000 }, async () => {
  const own = await ownRun({ seed: Number(process.env['SEED'] ?? 1), settleMs: 100_000 });
  const { levers, clock } = own.run;
  const clients: Client[] = [];
  for (let index = 0; index < CLIENTS; index++) clients.push(await connect(own.url));
  for (const client of clients) {
    client.send({ type: 'subscribe', topic: `price:${TICKER}` });
    await client.until(ofType('subscribed'));
  }
  levers.duplicateEvents = 0.2;
  levers.reorderEventsMs = 60;
  levers.kill.set('ingest', 0.05).set('fan-out', 0.05);
  levers.freeze.set('ingest', 0.1).set('fan-out', 0.1);

  const start = Date.now() - TICKS;
  const ticks = Array.from({ length: TICKS }, (_, index) =>
    tick(TICKER, 100_000 + index, { timestamp: new Date(start + index).toISOString() }),
  );
  await Promise.all(
    Array.from({ length: PUBLISHERS }, async (_, publisher) => {
      const ownTicks = ticks.filter((__, index) => index % PUBLISHERS === publisher);
      for (let from = 0; from < ownTicks.length; from += PER_REQUEST) {
        await own.publish(ownTicks.slice(from, from + PER_REQUEST), (from / PER_REQUEST) % 2 ? 'bus' : 'direct');
      }
    }),
  );
  levers.kill.clear();
  await own.run.settled();
  for (let rounds = 0; own.run.pending() > 0; rounds++) {
    expect(rounds).toBeLessThan(20);
    clock.advance(VISIBILITY_MS);
    await own.run.settled();
  }

  const newest = 100_000 + TICKS - 1;
  for (const client of clients) {
    const prices = client.received.filter(ofType('price_update')).map((message) => Number((message['data'] as { price: number }).price));
    expect(prices).toEqual([...prices].sort((a, b) => a - b));
    expect(prices.at(-1)).toBe(newest);
  }
  expect(await own.get(`/internal/price/${TICKER}`)).toMatchObject({ body: { price: newest } });
  await Promise.all(clients.map((client) => client.close()));
  await own.run.stop();
});

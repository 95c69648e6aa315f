/** `HTTP_REQUESTS_PER_SECOND`: a flood on the HTTP API is answered by the platform, and leaves sockets and their deliveries alone. */
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, ofType } from '../helpers/client.ts';
import { freshTicker, type PublishedEvent, tick } from '../helpers/events.ts';
import { busClient, type OwnRun, runWith } from '../helpers/local.ts';

const LIMIT = 20;
const FLOOD = 200;
let own: OwnRun;
afterEach(() => own.run.stop());

async function put({ source, detailType, detail }: PublishedEvent): Promise<void> {
  const bus = busClient(own.run);
  const entry = { EventBusName: own.run.busName, Source: source, DetailType: detailType, Detail: JSON.stringify(detail) };
  expect((await bus.send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount).toBe(0);
  bus.destroy();
}

/** A client of one ticker, whose first price is on its way when the flood comes. Returns the flood's answers. */
async function flood() {
  const ticker = freshTicker();
  const client = await connect(own.url);
  client.send({ type: 'subscribe', topic: `price:${ticker}` });
  await client.until(ofType('subscribed'));
  own.run.clock.advance(1_000);

  const answers = Array.from({ length: FLOOD }, () => own.get('/api/kr/stocks/none/realtime-price'));
  // an upstream on the bus is no request to the API
  await put(tick(ticker, 1));
  const refused = (await Promise.all(answers)).filter(({ status }) => status === 429);
  await own.run.settled();
  return { client, refused };
}
const passedOver = (): number => own.logs.filter((line) => line.includes('a consumer is slow')).length;

describe('a flood', () => {
  test('gets 429, a live audience its messages, and a second later requests are served again', async () => {
    own = await runWith({ HTTP_REQUESTS_PER_SECOND: String(LIMIT) });

    const { client, refused } = await flood();

    await client.until(ofType('price_update'));
    expect(refused[0]?.body).toEqual({ message: 'Too Many Requests' });
    // in the time that they took, more were let through
    expect(FLOOD - refused.length).toBeGreaterThanOrEqual(LIMIT);
    expect(refused.length).toBeGreaterThan(FLOOD / 2);
    own.run.clock.advance(1_000);
    expect((await own.get('/api/health')).status).toBe(200);
    await client.close();
  });

  test.each([
    ['leaves the account its quota for posts', LIMIT, 0],
    ['without a limit of its own takes the whole quota of the account, and posts are refused', 10_000, 1],
  ])('%s', async (_, limit, slow) => {
    own = await runWith({ HTTP_REQUESTS_PER_SECOND: String(limit) });
    Object.assign(own.run.levers.requests, { rate: 0, burst: FLOOD / 2 });

    const { client } = await flood();

    expect(passedOver()).toBe(slow);
    await client.close();
  });

  test('of an upstream leaves the clients their requests', async () => {
    own = await runWith({ INTERNAL_REQUESTS_PER_SECOND: String(LIMIT) });
    const answers = await Promise.all(Array.from({ length: FLOOD }, () => own.get('/internal/price/none')));

    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(FLOOD / 2);
    expect((await own.get('/api/health')).status).toBe(200);
  });
});

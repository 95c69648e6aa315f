/** Events put onto the bus by hand, with any time and any acceptance: none may win a topic for good. */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../helpers/client.ts';
import { activated, freshId, freshTicker, type PublishedEvent, rank, resume, tick } from '../helpers/events.ts';
import { busClient, type OwnRun, ownRun, setClockTo } from '../helpers/local.ts';

let own: OwnRun;
let bus: EventBridgeClient;
let busName: string;
beforeAll(async () => {
  own = await ownRun();
  bus = busClient(own.run);
  busName = own.run.busName;
});
afterAll(async () => {
  bus.destroy();
  await own.run.stop();
});
/** Puts an event onto the bus as an upstream does. `without`: fields that its detail leaves out. */
async function put(
  { source, detailType, detail }: PublishedEvent,
  over: { Time?: Date; detail?: object; without?: string } = {},
): Promise<void> {
  const { [over.without ?? '']: _, ...rest } = detail;
  const { FailedEntryCount } = await bus.send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: busName,
          Source: source,
          DetailType: detailType,
          Detail: JSON.stringify({ ...rest, ...over.detail }),
          ...(over.Time ? { Time: over.Time } : {}),
        },
      ],
    }),
  );
  expect(FailedEntryCount).toBe(0);
  await own.run.settled();
}
const quote = async (ticker: string) => (await own.get(`/internal/price/${ticker}`)).body;
const FUTURE = new Date('2099-01-01T00:00:00Z');
const accepted = (over: object) => ({ _accepted: { id: `x${freshId()}`, time: null, acceptedAtMs: Date.now(), index: 0, ...over } });

describe('an event from the future', () => {
  test.each<[string, { Time?: Date; detail?: object }]>([
    ['by its envelope', { Time: FUTURE }],
    ['by an acceptance', { detail: accepted({ acceptedAtMs: FUTURE.getTime() }) }],
    ['by the latest acceptance there is', { detail: accepted({ acceptedAtMs: 8.64e15 }) }],
    ['by the time of an acceptance', { detail: accepted({ time: FUTURE.toISOString() }) }],
    ['by an acceptance and its time', { detail: accepted({ acceptedAtMs: FUTURE.getTime(), time: FUTURE.toISOString() }) }],
    ['by all of it', { Time: FUTURE, detail: accepted({ acceptedAtMs: 8.64e15, time: FUTURE.toISOString() }) }],
  ])('%s counts as accepted when it came, and an honest tick follows', async (_, over) => {
    const ticker = freshTicker();
    await put(tick(ticker, 1), { ...over, without: 'timestamp' });
    const { timestamp } = await quote(ticker);
    expect(Math.abs(Date.parse(String(timestamp)) - own.run.clock.now())).toBeLessThan(60_000);
    own.run.clock.advance(1_500);

    await own.publish([tick(ticker, 2, { timestamp: new Date(own.run.clock.now()).toISOString() })]);
    await own.run.settled();

    expect(await quote(ticker)).toMatchObject({ price: 2, stale: false });
  });

  test('does not stop halts and queue places either', async () => {
    const [ticker, concertId, userId] = [freshTicker(), freshId(), freshId()];
    const now = () => new Date(own.run.clock.now()).toISOString();
    await own.publish([tick(ticker, 1)]);
    await put(
      { ...resume(ticker), detailType: 'TradingHalted' },
      { Time: FUTURE, detail: accepted({ acceptedAtMs: 8.64e15 }), without: 'timestamp' },
    );
    await put(rank(concertId, userId, 9), { Time: FUTURE, detail: accepted({ acceptedAtMs: 8.64e15 }), without: 'timestamp' });
    own.run.clock.advance(1_500);

    await own.publish([resume(ticker, { timestamp: now() }), activated(concertId, userId, 60, { timestamp: now() })]);
    await own.run.settled();

    expect(await quote(ticker)).toMatchObject({ halted: false });
    const client = await connect(own.url);
    client.send({ type: 'subscribe', topic: `/topic/waiting-queue/${concertId}/${userId}` });
    expect(await client.until(({ event }) => event !== undefined)).toMatchObject({ event: 'ACTIVE' });
    await client.close();
  });

  test('does not make the feed live for ever', async () => {
    const run = own.run;
    setClockTo(run, { weekday: 3, hour: 10, minute: 0 });
    await put(tick(freshTicker(), 1), { Time: FUTURE, without: 'timestamp' });
    run.clock.advance(300_000);
    await run.invoke('minute');

    expect((await own.get('/api/health')).body['feed']).toMatchObject({ state: 'down' });
  });
});

test('an acceptance whose time is no time is not believed, and the quote has a time', async () => {
  const ticker = freshTicker();
  await put(tick(ticker, 1), { detail: accepted({ time: 'garbage' }), without: 'timestamp' });

  expect(await quote(ticker)).toMatchObject({ price: 1, timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) });
});

test('of events in one second, which the bus cannot tell apart, the last one stays', async () => {
  for (let tries = 0; tries < 4; tries++) {
    const ticker = freshTicker();
    for (let price = 1; price <= 6; price++) {
      // the queue takes them in different milliseconds
      const before = Date.now();
      while (Date.now() === before) await new Promise((done) => setImmediate(done));
      await bus.send(new PutEventsCommand({ Entries: [untimed(ticker, price)] }));
    }
    await own.run.settled();

    expect(await quote(ticker)).toMatchObject({ price: 6 });
  }
});

function untimed(ticker: string, price: number) {
  const { source, detailType, detail } = tick(ticker, price);
  const { timestamp: _, ...rest } = detail;
  return { EventBusName: busName, Source: source, DetailType: detailType, Detail: JSON.stringify(rest) };
}

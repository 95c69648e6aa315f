/** The cost of each operation in database requests, which users pay for. `docs/access-patterns.md` has the same figures. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../core/connections/connect.ts';
import { disconnect } from '../../core/connections/disconnect.ts';
import { drain } from '../../core/delivery/drain.ts';
import { ingest } from '../../core/events/ingest.ts';
import { openStream, streamText } from '../../core/http/event-stream.ts';
import { register } from '../../core/http/registration.ts';
import { ANYBODY } from '../../core/identity.ts';
import { handleMessage } from '../../core/sessions/handle-message.ts';
import { WALKS, type Walk } from '../../scripts/cost/walks.ts';
import { quotes } from '../../systems/prices/quotes.ts';
import { alert, freshId, freshTicker, type PublishedEvent, rank, SENT_AT_MS, settled, tick } from '../helpers/events.ts';
import { type MemoryPorts, memoryPorts } from '../helpers/ports.ts';
import { frame } from '../helpers/stomp.ts';
import { within } from '../helpers/within.ts';
import { dynamoTables, type Tables } from '../ports/implementations.ts';

const READS = new Set(['GetItemCommand', 'BatchGetItemCommand', 'GetCommand', 'BatchGetCommand']);
const QUERIES = new Set(['QueryCommand', 'ScanCommand']);

let tables: Tables;
let ports: MemoryPorts;
let commands: string[] = [];
beforeAll(async () => {
  tables = await dynamoTables({ onRequest: (command) => void commands.push(command) });
});
afterAll(() => tables.stop());
beforeEach(() => {
  const { stop: _, clock, ...stored } = tables;
  clock.nowMs = Date.now();
  ports = { ...memoryPorts(), ...stored } as MemoryPorts;
  Object.assign(ports.clock, { nowMs: Date.now() });
});

/** The database requests of some work, by kind. */
async function cost(work: () => Promise<unknown>) {
  commands = [];
  await work();
  const reads = commands.filter((command) => READS.has(command)).length;
  const queries = commands.filter((command) => QUERIES.has(command)).length;
  return { writes: commands.length - reads - queries, reads, queries };
}

/** A walk and the message that asks for it. */
const withMessage = ({ writes, reads, queries }: Walk): Walk => ({ writes: WALKS.message.writes + writes, reads, queries });

let serial = 0;
const opened = async (): Promise<string> => {
  const connectionId = `c${serial++}`;
  await connect(
    {
      connectionId,
      connectedAtMs: ports.clock.now(),
      origin: null,
      host: null,
      sourceIp: '',
      protocols: null,
      authorization: null,
      apiKey: null,
      ticket: null,
    },
    { ...ports, allowedOrigins: '*', maxConnections: 0 },
  );
  return connectionId;
};
const send = (connectionId: string, message: object) =>
  handleMessage({ connectionId, text: JSON.stringify(message), receivedAtMs: ports.clock.now(), requestId: 'r' }, ports);
const event =
  (ticker: string, price: number, ageMs = 0) =>
  () => {
    const at = new Date(ports.clock.now() - ageMs).toISOString();
    return publishEvent(tick(ticker, price, { timestamp: at }), at);
  };
const publishEvent = ({ source, detailType, detail }: PublishedEvent, time = new Date(ports.clock.now()).toISOString()) => {
  const body = JSON.stringify({ id: `e${serial++}`, source, 'detail-type': detailType, time, detail });
  return ingest([{ id: 'r', body, sentAtMs: Date.parse(time) }], {
    ...ports,
    deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
  });
};
/** A ticker that the catalogue lists already: only the first event of a topic is charged for the listing. */
const known = async (): Promise<string> => {
  const ticker = freshTicker();
  await event(ticker, 1, 60_000)();
  return ticker;
};

test('a connect is 2 writes', async () => {
  expect(await cost(opened)).toEqual(WALKS.connect);
});

test("a client's message is 1 write", async () => {
  const connectionId = await opened();

  expect(await cost(() => send(connectionId, { type: 'pong' }))).toEqual(WALKS.message);
});

test('a disconnect is 2 writes and a query, and 2 writes for each subscription', async () => {
  const [without, withTwo] = [await opened(), await opened()];
  for (let index = 0; index < 2; index++) await send(withTwo, { type: 'subscribe', topic: `price:${await known()}` });

  expect(await cost(() => disconnect(without, ports))).toEqual(WALKS.disconnect);
  expect(await cost(() => disconnect(withTwo, ports))).toEqual({
    ...WALKS.disconnect,
    writes: WALKS.disconnect.writes + 2 * WALKS.endedSubscription.writes,
  });
});

test('the mark of a ping is 1 write', async () => {
  const connectionId = await opened();

  expect(await cost(() => ports.connections.pinged(connectionId, ports.clock.now()))).toEqual(WALKS.ping);
});

test('a subscribe to a topic that is heard is 3 writes besides the message and 3 reads, two of them in parallel', async () => {
  const ticker = await known();
  await send(await opened(), { type: 'subscribe', topic: `price:${ticker}` });
  const connectionId = await opened();

  expect(await cost(() => send(connectionId, { type: 'subscribe', topic: `price:${ticker}` }))).toEqual(withMessage(WALKS.subscribe));
});

test('the first subscribe to a topic is 2 writes more, which mark it as heard', async () => {
  const ticker = await known();
  const connectionId = await opened();

  expect(await cost(() => send(connectionId, { type: 'subscribe', topic: `price:${ticker}` }))).toEqual({
    writes: 1 + 3 + 2,
    reads: 3,
    queries: 0,
  });
});

test('a state event on a topic that is not heard is 1 write', async () => {
  const ticker = await known();

  expect(await cost(event(ticker, 2))).toEqual(WALKS.stateEventUnheard);
});

test('new tickers are listed together: 1 read for a hundred, 1 write for 25, and 1 write each', async () => {
  const quotes = Array.from({ length: 250 }, (_, index) => tick(freshTicker(), index + 1).detail);
  const publish = (ageMs: number) => () =>
    publishEvent(
      { source: 'market.price', detailType: 'PricesTicked', detail: { quotes } },
      new Date(ports.clock.now() - ageMs).toISOString(),
    );

  expect(await cost(publish(1_000))).toEqual({ writes: 250 + 10, reads: 3, queries: 0 });
  expect(await cost(publish(0))).toEqual({ writes: 250, reads: 0, queries: 0 });
});

test('a list of expected tickers is 1 write for 25 items, two for each ticker', async () => {
  const tickers = Array.from({ length: 100 }, () => ({ ticker: freshTicker(), name: 'n' }));

  expect(await cost(() => publishEvent({ source: 'market.price', detailType: 'TickersListed', detail: { tickers } }))).toEqual({
    writes: 8,
    reads: 0,
    queries: 0,
  });
});

test('a state event on a topic that is heard is 3 writes, 1 read and a query per page', async () => {
  const ticker = await known();
  for (let index = 0; index < 3; index++) await send(await opened(), { type: 'subscribe', topic: `price:${ticker}` });
  ports.gateway.posted.length = 0;

  expect(await cost(event(ticker, 2))).toEqual(WALKS.stateEventHeard);
  expect(ports.gateway.posted).toHaveLength(3);
});

test('quotes are 2 reads per hundred tickers', async () => {
  const tickers = [await known(), await known(), await known()];

  expect(await cost(() => quotes(tickers, ports))).toEqual({ writes: 0, reads: 2, queries: 0 });
});

describe('operations', () => {
  const ANNOUNCE = { type: 'client_info', data: { client_id: 'a-dashboard' } };
  const raise =
    (count: number, level = 'info') =>
    async () => {
      const at = new Date(ports.clock.now()).toISOString();
      const { source, detailType, detail } = alert({ level });
      const records = Array.from({ length: count }, () => ({
        id: `r${serial}`,
        sentAtMs: SENT_AT_MS,
        body: JSON.stringify({ id: `a${serial++}`, source, 'detail-type': detailType, time: at, detail }),
      }));
      await ingest(records, { ...ports, deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) } });
    };

  test('a ping is 1 write, and a ping that is too fast is 1 write that fails', async () => {
    const connectionId = await opened();
    const ping = { type: 'ping', data: { client_time: new Date().toISOString() } };
    for (let index = 0; index < 9; index++) await send(connectionId, ping);

    expect(await cost(() => send(connectionId, ping))).toEqual({ writes: 1, reads: 0, queries: 0 });
    // this database does not return the item with a failed condition
    expect(await cost(() => send(connectionId, ping))).toEqual({ writes: 1, reads: 1, queries: 0 });
  });

  test('an announcement is 4 writes, and 3 for each of its six default subscriptions', async () => {
    await send(await opened(), { ...ANNOUNCE, data: { client_id: 'the-first' } });
    const connectionId = await opened();

    // 1 for the message; then 1 for the client, 2 for the announcement, 3 per topic
    expect(await cost(() => send(connectionId, ANNOUNCE))).toEqual(withMessage(WALKS.announcement));
    // a second announcement leaves the subscriptions as they are
    expect(await cost(() => send(connectionId, { ...ANNOUNCE, data: { client_id: 'a-dashboard', features: ['explicit'] } }))).toMatchObject(
      {
        writes: 3,
      },
    );
  });

  test('ten alerts in one batch are two writes each, one read and one update of the head', async () => {
    const connectionId = await opened();
    await send(connectionId, { type: 'subscribe', data: { event_types: ['alert'] } });
    await raise(1)();
    ports.gateway.posted.length = 0;

    // 2 of the writes take and release the turn
    expect(await cost(raise(10))).toEqual({ writes: 10 * 2 + 1 + 2, reads: 1 + 1, queries: 2 });
    expect(ports.gateway.posted.filter((post) => post.connectionId === connectionId)).toHaveLength(10);
  });
});

describe('ticketing', () => {
  const SEAT = 55;
  const settle = (userId: number) => async () => {
    const at = new Date(ports.clock.now()).toISOString();
    const { source, detailType, detail } = settled(SEAT, userId, 'SUCCESS', { timestamp: at });
    const body = JSON.stringify({ id: `s${serial++}`, source, 'detail-type': detailType, time: at, detail });
    await ingest([{ id: 'r', body, sentAtMs: SENT_AT_MS }], {
      ...ports,
      deadLetters: { bury: async (_, reason) => Promise.reject(new Error(reason)) },
    });
  };
  const stompConnection = async (): Promise<string> => {
    const connectionId = `c${serial++}`;
    await connect(
      {
        connectionId,
        connectedAtMs: ports.clock.now(),
        origin: null,
        host: null,
        sourceIp: '',
        protocols: 'v12.stomp',
        authorization: null,
        apiKey: null,
        ticket: null,
      },
      { ...ports, allowedOrigins: '*', maxConnections: 0 },
    );
    return connectionId;
  };
  const sendStomp = (connectionId: string, text: string) =>
    handleMessage({ connectionId, text, receivedAtMs: ports.clock.now(), requestId: 'r' }, ports);
  const CONNECT = frame('CONNECT', { 'accept-version': '1.2' });
  const topicOf = (userId: number) => `/topic/reservations/${SEAT}/${userId}`;
  /** Reads a stream until it ends. */
  const toEnd = (text: AsyncIterable<string>): Promise<void> => {
    const read = async (): Promise<void> => {
      for await (const _ of text);
    };
    return within(read(), 'the end of the stream', () => commands);
  };

  test('a STOMP connect is 2 writes and no job, its CONNECT 2 writes, a heart-beat 1 write', async () => {
    let connectionId = '';
    expect(
      await cost(async () => {
        connectionId = await stompConnection();
      }),
    ).toEqual(WALKS.connect);
    expect(ports.jobs.jobs).toEqual([]);
    expect(await cost(() => sendStomp(connectionId, CONNECT))).toEqual(withMessage(WALKS.stompConnect));

    expect(await cost(() => sendStomp(connectionId, '\n'))).toEqual(WALKS.message);
  });

  test('a STOMP subscribe to a log is 4 reads and 2 queries, and claims its id without another write', async () => {
    const userId = freshId();
    await settle(userId)();
    const first = await stompConnection();
    await sendStomp(first, `${CONNECT}${frame('SUBSCRIBE', { id: 'a', destination: topicOf(userId) })}`);
    const second = await stompConnection();
    await sendStomp(second, CONNECT);

    expect(await cost(() => sendStomp(second, frame('SUBSCRIBE', { id: 'a', destination: topicOf(userId) })))).toEqual(
      withMessage(WALKS.stompSubscribeLog),
    );
  });

  test('a state that is delivered again as a sign of life is 2 writes, a read and a query', async () => {
    const userId = freshId();
    const topic = `/topic/waiting-queue/1/${userId}`;
    await publishEvent(rank(1, userId, 5));
    const connectionId = await stompConnection();
    await sendStomp(connectionId, `${CONNECT}${frame('SUBSCRIBE', { id: 'a', destination: topic })}`);
    ports.gateway.posted.length = 0;

    expect(await cost(() => drain({ topic, shard: 0, repeat: true }, ports))).toEqual(WALKS.keepAlive);
    expect(ports.gateway.posted).toHaveLength(1);
  });

  test('a registration is 2 writes, a read and a query, and 3 writes if it was made before', async () => {
    const notices = { send: async () => undefined };
    const body = JSON.stringify({ userId: freshId(), seatId: SEAT });
    const registering = () => register('/api/push/websocket/reservations/subscriptions', body, ANYBODY, { ...ports, notices });

    expect(await cost(registering)).toEqual({ writes: 2, reads: 1, queries: 1 });
    expect(await cost(registering)).toEqual({ writes: 3, reads: 1, queries: 1 });
  });

  test('a log event on a topic that is not heard is 3 writes and a read; on a heard one 5 writes, 2 reads and 2 queries', async () => {
    const userId = freshId();
    await settle(userId)();
    expect(await cost(settle(userId))).toEqual(WALKS.logEventUnheard);
    const connectionId = await stompConnection();
    await sendStomp(connectionId, `${CONNECT}${frame('SUBSCRIBE', { id: 'a', destination: topicOf(userId) })}`);
    // the first event on the heard topic also moves the cursor past those before it
    await settle(userId)();
    ports.gateway.posted.length = 0;

    expect(await cost(settle(userId))).toEqual(WALKS.logEventHeard);
    expect(ports.gateway.posted).toHaveLength(1);
  });

  test('a stream of a log is 2 writes, 2 reads and 2 queries from its start to its end', async () => {
    const query = { userId: String(freshId()), seatId: String(SEAT) };
    const request = { method: 'GET', path: '/api/reservations/v5/subscribe', query, token: null, lastEventId: null };
    let text: AsyncGenerator<string, void> | undefined;

    expect(
      await cost(async () => {
        text = streamText(await openStream(request, ports), ports.clock.now(), ports);
        await text.next();
      }),
    ).toEqual({ writes: 2, reads: 2, queries: 1 });
    expect(
      await cost(async () => {
        if (text) await toEnd(text);
      }),
    ).toEqual({ writes: 0, reads: 0, queries: 1 });
  });

  test('each poll of an event stream is 1 read', async () => {
    const query = { userId: String(freshId()), concertId: '1' };
    const opened = await openStream(
      { method: 'GET', path: '/api/v1/waiting-queue/subscribe', query, token: null, lastEventId: null },
      ports,
    );
    const text = streamText(opened, ports.clock.now() + 10_000, ports);
    await text.next();
    await text.next();
    let polls = 0;
    const read = ports.topics.read;
    ports.topics.read = (topics) => {
      polls++;
      return read(topics);
    };

    const { reads, writes, queries } = await cost(() => toEnd(text));
    expect({ writes, queries, reads }).toEqual({ ...WALKS.streamLook, reads: polls * WALKS.streamLook.reads });
    // in 10 s: the first after 250 ms, then at growing intervals of at most 700 ms
    expect(polls).toBeGreaterThan(14);
    expect(polls).toBeLessThan(22);
    ports.topics.read = read;
  });
});

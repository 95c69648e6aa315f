/** What each walk costs in requests: users pay for every one. `docs/access-patterns.md` says the same figures. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../core/connect.ts';
import { ingest } from '../../core/ingest.ts';
import { handleMessage } from '../../core/message.ts';
import { quotes } from '../../core/prices.ts';
import { DEFAULT_FRESHNESS } from '../../core/quote.ts';
import { freshTicker, tick } from '../helpers/events.ts';
import { type MemoryPorts, memoryPorts } from '../helpers/ports.ts';
import { dynamoTables, type Tables } from '../ports/implementations.ts';

const READS = new Set(['GetItemCommand', 'BatchGetItemCommand', 'GetCommand', 'BatchGetCommand']);
const QUERIES = new Set(['QueryCommand', 'ScanCommand']);

let tables: Tables;
let ports: MemoryPorts;
let commands: string[] = [];
beforeAll(async () => {
  tables = await dynamoTables((command) => void commands.push(command));
});
afterAll(() => tables.stop());
beforeEach(() => {
  const { stop: _, clock: __, ...stored } = tables;
  ports = { ...memoryPorts(), ...stored } as MemoryPorts;
  Object.assign(ports.clock, { nowMs: Date.now() });
});

/** Requests of some work, by kind. */
async function cost(work: () => Promise<unknown>) {
  commands = [];
  await work();
  const reads = commands.filter((command) => READS.has(command)).length;
  const queries = commands.filter((command) => QUERIES.has(command)).length;
  return { writes: commands.length - reads - queries, reads, queries };
}

let serial = 0;
const opened = async (): Promise<string> => {
  const connectionId = `c${serial++}`;
  await connect(
    { connectionId, connectedAtMs: ports.clock.now(), origin: null, sourceIp: '', protocols: null, authorization: null },
    { ...ports, newClientId: () => 'client', allowedOrigins: '*', maxConnections: 0 },
  );
  return connectionId;
};
const say = (connectionId: string, message: object) =>
  handleMessage({ connectionId, text: JSON.stringify(message), receivedAtMs: ports.clock.now(), requestId: 'r' }, ports);
const event =
  (ticker: string, price: number, ageMs = 0) =>
  () => {
    const at = new Date(ports.clock.now() - ageMs).toISOString();
    const { source, detailType, detail } = tick(ticker, price, { timestamp: at });
    const body = JSON.stringify({ id: `e${price}`, source, 'detail-type': detailType, time: at, detail });
    return ingest([{ id: 'r', body }], { ...ports, deadEvents: { bury: async (_, reason) => Promise.reject(new Error(reason)) } });
  };
/** A ticker that the catalogue knows already: the first event of a topic pays for being listed. */
const known = async (): Promise<string> => {
  const ticker = freshTicker();
  await event(ticker, 1, 60_000)();
  return ticker;
};

test('a connect is 2 writes', async () => {
  expect(await cost(opened)).toEqual({ writes: 2, reads: 0, queries: 0 });
});

test("a client's message is 1 write", async () => {
  const connectionId = await opened();

  expect(await cost(() => say(connectionId, { type: 'pong' }))).toEqual({ writes: 1, reads: 0, queries: 0 });
});

test('a subscribe to a topic that is heard is, beside the message, 3 writes and 3 reads, two of them side by side', async () => {
  const ticker = await known();
  await say(await opened(), { type: 'subscribe', topic: `price:${ticker}` });
  const connectionId = await opened();

  expect(await cost(() => say(connectionId, { type: 'subscribe', topic: `price:${ticker}` }))).toEqual({
    writes: 1 + 3,
    reads: 3,
    queries: 0,
  });
});

test('the first subscriber of a topic pays 2 writes more, to have it heard', async () => {
  const ticker = await known();
  const connectionId = await opened();

  expect(await cost(() => say(connectionId, { type: 'subscribe', topic: `price:${ticker}` }))).toEqual({
    writes: 1 + 3 + 2,
    reads: 3,
    queries: 0,
  });
});

test('a state event that nobody hears is 1 write', async () => {
  const ticker = await known();

  expect(await cost(event(ticker, 2))).toEqual({ writes: 1, reads: 0, queries: 0 });
});

test('a state event that is heard is 3 writes, 1 read and a query a page', async () => {
  const ticker = await known();
  for (let index = 0; index < 3; index++) await say(await opened(), { type: 'subscribe', topic: `price:${ticker}` });
  ports.gateway.posted.length = 0;

  expect(await cost(event(ticker, 2))).toEqual({ writes: 3, reads: 1, queries: 1 });
  expect(ports.gateway.posted).toHaveLength(3);
});

test('quotes are 2 reads for each hundred tickers', async () => {
  const tickers = [await known(), await known(), await known()];

  expect(await cost(() => quotes(tickers, { ...ports, freshness: DEFAULT_FRESHNESS }))).toEqual({ writes: 0, reads: 2, queries: 0 });
});

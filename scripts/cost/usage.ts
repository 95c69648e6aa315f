/** The use that AWS meters, of a client, a published message, and a deployment that nobody uses. */
import type { Item } from './prices.ts';
import type { Walk, Walks } from './walks.ts';

/** Amounts by priced item; `posts` is part of the messages, and shares a quota. */
export type Usage = Readonly<Partial<Record<Item | 'posts', number>>>;

export const sum = (...parts: readonly Usage[]): Usage => {
  const total: Partial<Record<Item | 'posts', number>> = {};
  for (const part of parts)
    for (const [item, amount] of Object.entries(part) as [Item, number][]) total[item] = (total[item] ?? 0) + amount;
  return total;
};
export const times = (factor: number, usage: Usage): Usage =>
  Object.fromEntries(Object.entries(usage).map(([item, amount]) => [item, amount * factor]));

// --- estimates, since nothing here has run on an account --------------------------------------------------------

/** Billed time of a post, in a drain that posts many at once, in seconds. */
export const POST_SECONDS = 0.0008;
/** Memory of the functions in GB (`lib/`), and billed time of an invocation in seconds. */
const MESSAGE = { gb: 0.5, seconds: 0.015 };
const INGEST = { gb: 1, seconds: 0.03 };
const MINUTELY = { gb: 0.5, seconds: 0.2 };
/** Of a subscription's item, a connection's record, and what a frame adds to its message. */
const BYTES = { subscription: 250, connection: 1_000, frame: 40 };
/**
 * Log lines, in bytes. Of an invocation: the platform's START, END and REPORT, and one line of metrics. The others are the
 * functions' own: of a published request and its access log, a committed message, and a delivery.
 */
const LOG_BYTES = { invocation: 700, request: 500, committed: 150, delivered: 400 };

/** A metered message, and a unit of reads. */
const MESSAGE_UNIT = 32 * 1024;
const READ_UNIT = 4096;
/** A scan is eventually consistent: half a unit. */
const SCAN_UNIT = 2 * READ_UNIT;

const ceil = (amount: number, unit: number): number => Math.max(1, Math.ceil(amount / unit));

/** The units of a walk's requests. `itemUnits` = of its one write of the whole item; `audience` = subscriptions that its last query reads. */
const tables = ({ writes, reads, queries }: Walk, { itemUnits = 1, audience = 0 } = {}): Usage => ({
  writeUnits: writes === 0 ? 0 : writes - 1 + itemUnits,
  readUnits: reads + (queries === 0 ? 0 : queries - 1 + ceil(audience * BYTES.subscription, READ_UNIT)),
});

const invocation = ({ gb, seconds }: { readonly gb: number; readonly seconds: number }): Usage => ({
  lambdaRequests: 1,
  lambdaGbSeconds: gb * seconds,
  logBytes: LOG_BYTES.invocation,
});

/** Messages of so many bytes on their way to clients. */
const posts = (count: number, bytes: number): Usage => ({
  posts: count,
  socketMessages: count * ceil(bytes, MESSAGE_UNIT),
  bytesOut: count * (bytes + BYTES.frame),
});

/** A job: it is put, received and deleted. */
const job = (share: number): Usage => times(share, sum({ queueRequests: 3 }, invocation(INGEST)));

// --- clients ----------------------------------------------------------------------------------------------------

const ANSWER_BYTES = 200;
const PING_BYTES = 100;
/** Life of a connection, in hours, and signs of life in an hour (`PING_INTERVAL_SECONDS` 240). */
const LIFE_HOURS = 2;
const SIGNS = 3600 / 240;
const PINGS_A_JOB = 100;
const TOPICS_A_JOB = 50;

const clientMessage = (walks: Walks, asks: Walk = { writes: 0, reads: 0, queries: 0 }): Usage =>
  sum({ socketMessages: 1 }, invocation(MESSAGE), tables(walks.message), tables(asks));

export interface Client {
  readonly dialect: 'json' | 'stomp';
  /** A message each, and the topics that it subscribes to. */
  readonly subscribing: readonly { readonly walk: Walk; readonly topics: number }[];
}

/** An hour of a client that stays: it connects anew when its connection's life is over, and gives signs of life. */
export function clientHour({ dialect, subscribing }: Client, walks: Walks): Usage {
  const topics = subscribing.reduce((all, one) => all + one.topics, 0);
  const connecting = sum(
    times(2, invocation(MESSAGE)),
    tables(walks.connect),
    tables(walks.disconnect),
    times(topics, tables(walks.endedSubscription)),
    // the greeting, of a JSON client by a job
    dialect === 'stomp' ? clientMessage(walks, walks.stompConnect) : job(1),
    posts(1, ANSWER_BYTES),
    ...subscribing.map((one) => sum(clientMessage(walks, one.walk), posts(one.topics, ANSWER_BYTES))),
  );
  const ping = sum(tables(walks.ping), job(1 / PINGS_A_JOB), posts(1, PING_BYTES));
  const sign = sum(clientMessage(walks), dialect === 'json' ? ping : {});
  return sum({ connectionMinutes: 60 }, times(1 / LIFE_HOURS, connecting), times(SIGNS, sign));
}

/** A state message again, as a sign of life to its one subscriber. */
export const keepAliveHour = (bytes: number, walks: Walks): Usage =>
  times(
    SIGNS,
    sum(tables(walks.keepAlive), tables(walks.ping), job(1 / TOPICS_A_JOB), posts(1, bytes), {
      lambdaGbSeconds: INGEST.gb * POST_SECONDS,
    }),
  );

// --- events -----------------------------------------------------------------------------------------------------

export interface Publishing {
  readonly lane: 'bus' | 'direct';
  /** Events in one request to `/internal/events`, and messages that one event becomes. */
  readonly eventsInRequest: number;
  readonly messagesInEvent: number;
  /** Events in one batch of the queue. */
  readonly batch: number;
  readonly walk: Walk;
  /** Write units of the topic's own item. */
  readonly itemUnits: number;
  /** Subscribers of one topic. */
  readonly audience: number;
  readonly bytes: number;
}

/** A message that an upstream publishes without an id of its own, and its delivery to every subscriber. */
export function published({ lane, eventsInRequest, messagesInEvent, batch, walk, itemUnits, audience, bytes }: Publishing): Usage {
  const request = sum({ httpRequests: 1, logBytes: LOG_BYTES.request }, invocation(MESSAGE));
  // the bus puts events into the queue one by one, and we ten at a time; a batch is received and deleted
  const puts = lane === 'bus' ? 1 : 1 / Math.min(10, eventsInRequest);
  const event = sum(lane === 'bus' ? { busEvents: 1 } : {}, { queueRequests: puts + 2 / batch }, times(1 / batch, invocation(INGEST)));
  const message = sum(tables(walk, { itemUnits, audience }), posts(audience, bytes), {
    lambdaGbSeconds: INGEST.gb * POST_SECONDS * audience,
    logBytes: LOG_BYTES.committed + (audience > 0 ? LOG_BYTES.delivered : 0),
  });
  return sum(times(1 / (eventsInRequest * messagesInEvent), request), times(1 / messagesInEvent, event), message);
}

// --- by the hour ------------------------------------------------------------------------------------------------

/** Five pollers wait at each polled queue, 20 s at a time: a mapping with a maximum of concurrency keeps them there. */
const POLLS = (5 * 3600) / 20;
export const MONTH_HOURS = 730;

/** Counts of the template. */
export interface Parts {
  readonly polledQueues: number;
  readonly alarms: number;
  readonly dashboards: number;
  readonly secrets: number;
}

/**
 * Custom metrics, each one of a function: those that the functions of every minute emit, and those that traffic adds.
 * `test/local/metrics.test.ts` counts them.
 */
export const METRICS = { idle: 3, traffic: 11 } as const;

/** An hour of a deployment that nobody uses. */
export const idleHour = ({ polledQueues, alarms, dashboards, secrets }: Parts): Usage =>
  sum(
    { queueRequests: polledQueues * POLLS },
    {
      alarms: alarms / MONTH_HOURS,
      dashboards: dashboards / MONTH_HOURS,
      secrets: secrets / MONTH_HOURS,
      metrics: METRICS.idle / MONTH_HOURS,
    },
    // the sweep and the minute's look: 4 segments of a scan, 1 query, 2 reads of the counter, 1 status written and 1 read
    times(60, sum(times(2, invocation(MINUTELY)), { writeUnits: 1, readUnits: 8.5 })),
  );

/** The share of clients in the hour: the sweep scans what stands beneath each connection, once a minute. */
export const trafficHour = (clients: number, { subscribing }: Client): Usage => {
  const topics = subscribing.reduce((all, one) => all + one.topics, 0);
  return {
    readUnits: (60 * clients * (BYTES.connection + topics * BYTES.subscription)) / SCAN_UNIT,
    metrics: METRICS.traffic / MONTH_HOURS,
  };
};

/** What a workload uses, as AWS meters it. */
import type { Item } from './prices.ts';
import { DISCONNECT, type Walk, type Walks } from './walks.ts';

export type Usage = Readonly<Partial<Record<Item, number>>>;

export const sum = (...parts: readonly Usage[]): Usage => {
  const total: Partial<Record<Item, number>> = {};
  for (const part of parts)
    for (const [item, amount] of Object.entries(part) as [Item, number][]) total[item] = (total[item] ?? 0) + amount;
  return total;
};
export const times = (factor: number, usage: Usage): Usage =>
  Object.fromEntries(Object.entries(usage).map(([item, amount]) => [item, amount * factor]));

/** Estimates, since nothing here has run on an account: memory of the functions in GB (`lib/`), and their time in seconds. */
const MESSAGE = { gb: 0.5, seconds: 0.015 };
/** A drain posts many at once. */
export const POST_SECONDS = 0.0008;
const INGEST = { gb: 1, seconds: 0.03 };
const MINUTELY = { gb: 0.5, seconds: 0.2 };
/** Bytes of a subscription's item; of a message's frame and its headers on the way; of a request's answer; of the log of a batch and of a delivery. */
const SUBSCRIPTION_BYTES = 250;
const FRAME_BYTES = 40;
const LOG_BYTES = { committed: 150, delivered: 400, accepted: 200 };
const READ_UNIT_BYTES = 4096;
const METERED_BYTES = 32 * 1024;

/** Requests of the tables in their units; a page of a query holds what it reads. `audience` = subscriptions that a delivery reads. */
const tables = ({ writes, reads, queries }: Walk, { writeUnits = 1, audience = 0 } = {}): Usage => ({
  // one of the writes is of the whole item
  writeUnits: writes === 0 ? 0 : writes - 1 + writeUnits,
  readUnits: reads + Math.max(queries, Math.ceil((audience * SUBSCRIPTION_BYTES) / READ_UNIT_BYTES)),
});

const invocation = ({ gb, seconds }: { readonly gb: number; readonly seconds: number }): Usage => ({
  lambdaRequests: 1,
  lambdaGbSeconds: gb * seconds,
});

/** A message to a client of so many bytes. */
const posts = (count: number, bytes: number): Usage => ({
  socketMessages: count * Math.ceil(bytes / METERED_BYTES),
  gigabytesOut: count * (bytes + FRAME_BYTES),
});

/** A message of a client, and what it asks for. */
const clientMessage = (walks: Walks, asks: Walk = NOTHING): Usage =>
  sum({ socketMessages: 1 }, invocation(MESSAGE), tables(walks.message), tables(asks));
const NOTHING: Walk = { writes: 0, reads: 0, queries: 0 };

/** An hour of a client: it stays, connects anew every two hours, and answers a ping, or sends a heart-beat, every four minutes. */
export function clientHour(subscribing: readonly Walk[], dialect: 'json' | 'stomp', walks: Walks): Usage {
  const connecting = sum(
    invocation(MESSAGE),
    tables(walks.connect),
    invocation(MESSAGE),
    tables(DISCONNECT),
    ...(dialect === 'stomp' ? [clientMessage(walks, walks.stompConnect)] : []),
    ...subscribing.map((walk) => sum(clientMessage(walks, walk), posts(1, 200))),
  );
  const alive =
    dialect === 'stomp' ? clientMessage(walks) : sum(clientMessage(walks), posts(1, 60), tables({ writes: 1, reads: 0, queries: 0 }));
  return sum({ connectionMinutes: 60 }, times(1 / 2, connecting), times(60 / 4, alive));
}

export interface Publishing {
  readonly lane: 'bus' | 'direct';
  /** Events in one request to `/internal/events`, and messages that one event becomes. */
  readonly eventsInRequest: number;
  readonly messagesInEvent: number;
  /** Events that come in one batch of the queue. */
  readonly batch: number;
  readonly walk: Walk;
  /** Of the topic's own item. */
  readonly writeUnits: number;
  /** Subscribers of one topic. */
  readonly audience: number;
  readonly bytes: number;
}

/** A message that an upstream publishes, and its delivery to every subscriber. */
export function published({ lane, eventsInRequest, messagesInEvent, batch, walk, writeUnits, audience, bytes }: Publishing): Usage {
  const request = sum({ httpRequests: 1, logBytes: LOG_BYTES.accepted }, invocation(MESSAGE));
  // the bus puts events into the queue one by one, and we ten at a time; a batch is taken and deleted
  const event =
    lane === 'bus' ? { busEvents: 1, queueRequests: 1 + 2 / batch } : { queueRequests: 1 / Math.min(10, eventsInRequest) + 2 / batch };
  const message = sum(tables(walk, { writeUnits, audience }), posts(audience, bytes), {
    lambdaGbSeconds: INGEST.gb * POST_SECONDS * audience,
    logBytes: LOG_BYTES.committed + (audience > 0 ? LOG_BYTES.delivered : 0),
  });
  return sum(
    times(1 / (eventsInRequest * messagesInEvent), request),
    times(1 / messagesInEvent, event),
    times(1 / (batch * messagesInEvent), invocation(INGEST)),
    message,
  );
}

/** A state message that is delivered again as a sign of life. */
export const keepAlive = (bytes: number): Usage => sum(posts(1, bytes), { lambdaGbSeconds: INGEST.gb * POST_SECONDS, readUnits: 1 });

/** Five pollers wait at each queue, 20 s at a time (`MaximumConcurrency` keeps them there). */
const POLLS_PER_HOUR = (5 * 3600) / 20;

export interface Parts {
  readonly queues: number;
  readonly alarms: number;
  readonly secrets: number;
  readonly metrics: number;
}

const MONTH_HOURS = 730;

/** An hour of a deployment that nobody uses. */
export const idleHour = ({ queues, alarms, secrets, metrics }: Parts): Usage =>
  sum(
    { queueRequests: queues * POLLS_PER_HOUR },
    { alarms: alarms / MONTH_HOURS, secrets: secrets / MONTH_HOURS, metrics: metrics / MONTH_HOURS },
    // the sweep and the minute's look: 4 segments, 1 query, 2 reads of the counter, 1 status
    times(60, sum(times(2, invocation(MINUTELY)), { writeUnits: 1, readUnits: 8 })),
  );

/** The sweep reads every connection's record once a minute: a read unit for each 8 KB of them. */
export const sweepHour = (clients: number): Usage => ({ readUnits: (60 * clients * 1024) / 8192 });

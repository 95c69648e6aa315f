/**
 * Runs the real commit, drain and subscribe under a random scheduler: every request to a port is one atomic step, and
 * the worker that makes the next step is chosen at random. Workers are killed between two steps, stall, and meet
 * throttled posts; events arrive twice and out of order. Time is counted in steps.
 */

import * as v from 'valibot';
import { orderOf } from '../../core/base/ordering.ts';
import { parsePosition } from '../../core/base/position.ts';
import { A_DAY, type Channel, type Kind, type Outcome } from '../../core/channels/channel.ts';
import { channelsOf } from '../../core/channels/channels.ts';
import type { DrainPorts } from '../../core/delivery/drain.ts';
import { drain } from '../../core/delivery/drain.ts';
import type { SubscribePorts } from '../../core/delivery/first-delivery.ts';
import { subscribe } from '../../core/delivery/subscribe.ts';
import { unsubscribe } from '../../core/delivery/unsubscribe.ts';
import { type IngestPorts, ingest } from '../../core/events/ingest.ts';
import { UNNAMED } from '../../core/ports/audience.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Connection } from '../../core/ports/connections.ts';
import type { Job } from '../../core/ports/jobs.ts';
import type { StateCommit } from '../../core/ports/topics.ts';
import { makeLevers } from '../../local/base/levers.ts';
import { SENT_AT_MS } from './events.ts';
import { memoryAudience } from './memory/audience.ts';
import { memoryBodies } from './memory/bodies.ts';
import { memoryCatalogue } from './memory/catalogue.ts';
import { memoryClients } from './memory/clients.ts';
import { memoryConnections } from './memory/connections.ts';
import { memoryRegistrations } from './memory/registrations.ts';
import { memoryReport } from './memory/report.ts';
import { memoryTopics } from './memory/topics.ts';
import { memoryTurns } from './memory/turns.ts';

export interface Conditions {
  /** Now and then a worker stalls for longer than a turn. */
  readonly stalls?: boolean;
  /** Handlers are killed while they subscribe a client, too. */
  readonly killSubscribers?: boolean;
  /** Fraction of posts that are throttled. */
  readonly slow?: number;
  /** Some jobs ask for the newest message to be delivered again. */
  readonly repeats?: boolean;
  /** Clients subscribe again, and unsubscribe and subscribe again. */
  readonly resubscribes?: boolean;
  /** Events arrive in batches, and are redelivered in other batches. */
  readonly batches?: boolean;
  /** Breaks a rule, so that a test can show that the checks notice it. */
  readonly sabotage?: (ports: IngestPorts & SubscribePorts) => IngestPorts & SubscribePorts;
  /** Failed records are not retried. */
  readonly noRetry?: boolean;
}

export interface Verdict {
  /** The first failure, or `null`. */
  readonly fail: string | null;
  /** Posts of an older message after a newer one. */
  readonly olderAfterNewer: number;
  readonly repeats: number;
}

const TURN = 60;
const MARGIN = 8;
const VISIBILITY = 90;
const EVENTS = 12;
const CLIENTS = 3;
const TOPIC = { state: 'state:x', log: 'log:x' } as const;

const event = v.object({ n: v.number() });
const testChannel = (kind: Kind): Channel => ({
  name: kind,
  kind,
  source: kind,
  matches: (topic) => topic === TOPIC[kind],
  topicHint: TOPIC[kind],
  topicPattern: TOPIC[kind],
  internal: false,
  events: {
    E: {
      schema: event,
      list: null,
      outcomes: (detail, meta): Outcome[] => {
        const { n } = detail as { n: number };
        if (kind === 'log') return [{ kind, topic: TOPIC.log, eventId: meta.id, value: { n }, ahead: false }];
        return [
          {
            kind,
            topic: TOPIC.state,
            part: 'newest',
            order: orderOf({ atMicros: n, acceptedAtMs: 0, index: 0, id: meta.id }),
            value: { n },
            append: {},
            ahead: false,
          },
        ];
      },
    },
  },
  lifeMs: null,
  keepsAlive: false,
  http: null,
  filtering: null,
  history: A_DAY,
  committed: null,
  listed: false,
  permits: () => true,
  permitHint: '',
  payload: ({ parts }) => (parts['newest'] ? { ...parts['newest'] } : null),
});

interface Work {
  readonly start: (worker: Worker) => Promise<boolean>;
  /** A record is retried if it failed or its worker was killed; a client's request is not. */
  readonly retried: boolean;
  readonly client?: number;
}

interface Worker {
  readonly work: Work;
  /** The requests it waits to make; some of them run in parallel. */
  readonly steps: { resolve: () => void; wakeAt: number }[];
}

export async function runSchedule(kind: Kind, seed: number, conditions: Conditions = {}): Promise<Verdict> {
  const random = makeLevers(seed * 7919).random;
  const int = (below: number): number => Math.floor(random() * below);
  let now = 1;
  const later: { at: number; work: Work }[] = [];
  const workers = new Set<Worker>();
  const lostClients = new Set<number>();
  const delivered = Array.from({ length: CLIENTS }, (): number[] => []);
  const topic = TOPIC[kind];

  const time = { now: () => now };
  /** The offset of each event on the state topic. */
  const offsets = new Map<number, number>();
  const topics = memoryTopics(time);
  const shared = {
    topics: {
      ...topics,
      async commitState(commit: StateCommit, latest: string) {
        const committed = await topics.commitState(commit, latest);
        if (committed.changed) offsets.set((commit.value as { n: number }).n, committed.state.head);
        return committed;
      },
    },
    turns: memoryTurns(),
    audience: memoryAudience(time),
    ...memoryConnections(),
    clients: memoryClients(),
    catalogue: memoryCatalogue(),
    registrations: memoryRegistrations(time),
  };
  let serial = 0;

  const stepOf = (worker: Worker, wakeAt = 0): Promise<void> =>
    new Promise((resolve) => {
      worker.steps.push({ resolve, wakeAt });
    });
  /** Every function of a port becomes one step of its worker. */
  const stepping = <Port extends object>(port: Port, worker: Worker): Port =>
    Object.fromEntries(
      Object.entries(port).map(([name, method]) => [
        name,
        name === 'pages'
          ? async function* (...parameters: unknown[]) {
              await stepOf(worker);
              yield* method(...parameters);
            }
          : async (...parameters: unknown[]) => {
              await stepOf(worker);
              return method(...parameters);
            },
      ]),
    ) as Port;

  const portsOf = (worker: Worker): IngestPorts & SubscribePorts => {
    const clock: Clock = { now: () => now, sleep: (ms) => stepOf(worker, now + ms) };
    const ports = {
      topics: stepping(shared.topics, worker),
      turns: stepping(shared.turns, worker),
      audience: stepping(shared.audience, worker),
      connections: shared.connections,
      ownSubscriptions: shared.ownSubscriptions,
      clients: shared.clients,
      bodies: memoryBodies(),
      maxMessageBytes: 1_000_000,
      catalogue: shared.catalogue,
      registrations: shared.registrations,
      clock,
      report: memoryReport(),
      channels: channelsOf([testChannel('state'), testChannel('log')], {}),
      newId: () => `w${serial++}`,
      drainSettings: { turnMs: TURN, marginMs: MARGIN, broadcastsPerSecond: 200, postsAtOnce: 1 },
      deadLetters: { bury: async (_: string, reason: string) => Promise.reject(new Error(reason)) },
      gateway: {
        async post(connectionId: string, frame: string, before?: () => Promise<void>) {
          await before?.();
          await stepOf(worker);
          const { position, type, n } = JSON.parse(frame) as { position?: string; type?: string; n: number };
          if (type === 'subscribed') return 'sent' as const;
          if (random() < (conditions.slow ?? 0)) return 'slow' as const;
          // a repeat is the newest message, without position
          const { offset } = parsePosition(position ?? '') ?? { offset: offsets.get(n) ?? -1 };
          delivered[Number(connectionId)]?.push(offset);
          return 'sent' as const;
        },
        close: async () => undefined,
        stateOf: async () => null,
      },
      mode: 'both' as const,
      jobs: {
        async put(job: Job, delaySeconds = 0) {
          await stepOf(worker);
          later.push({ at: now + 1 + int(10) + delaySeconds * 1000, work: drainWork(job.kind === 'drain' && job.repeat === true) });
        },
      },
    } satisfies IngestPorts & SubscribePorts & DrainPorts;
    return conditions.sabotage ? conditions.sabotage(ports) : ports;
  };

  const drainWork = (repeat: boolean): Work => ({
    retried: true,
    start: (worker) =>
      drain({ topic, shard: 0, repeat }, portsOf(worker)).then(
        () => true,
        () => false,
      ),
  });
  const ingestWork = (...events: number[]): Work => {
    const records = events.map((n) => ({
      id: `r${n}`,
      sentAtMs: SENT_AT_MS,
      body: JSON.stringify({ id: `e${n}`, source: kind, 'detail-type': 'E', time: '2026-01-01T00:00:00Z', detail: { n } }),
    }));
    return { retried: true, start: async (worker) => (await ingest(records, portsOf(worker))).length === 0 };
  };
  const subscribeWork = (client: number): Work => ({
    retried: false,
    client,
    async start(worker) {
      const ports = portsOf(worker);
      const connection = { connectionId: String(client), dialect: 'json', connectedAtMs: now } as Connection;
      const channel = ports.channels.of(topic) as Channel;
      // a log is replayed from its beginning
      const since = kind === 'log' ? { epoch: 'another', offset: 0 } : null;
      await subscribe(
        [{ topic, channel, since, subscriptionId: UNNAMED, receipt: null, filter: null, unasked: false }],
        { connection, requestedAtMs: now },
        ports,
      );
      // a repeated subscribe continues a log where it stands
      for (let again = 0; kind === 'log' && conditions.resubscribes && again < 3; again++) {
        const wanted = { topic, channel, since: null, subscriptionId: UNNAMED, receipt: null, filter: null, unasked: false };
        await subscribe([wanted], { connection, requestedAtMs: now }, ports);
      }
      return true;
    },
  });

  const unsubscribeWork = (client: number): Work => ({
    retried: false,
    client,
    async start(worker) {
      const connection = { connectionId: String(client), dialect: 'json', connectedAtMs: now } as Connection;
      await unsubscribe([{ topic, subscriptionId: UNNAMED }], { connection, requestedAtMs: now }, portsOf(worker));
      return true;
    },
  });

  for (let n = 1; n <= EVENTS; n++) {
    const batch = [n];
    while (conditions.batches && n < EVENTS && random() < 0.6) batch.push(++n);
    later.push({ at: int(200), work: ingestWork(...batch) });
    // a redelivery may be batched with other events
    if (random() < 0.25) later.push({ at: int(260), work: ingestWork(n) });
    if (conditions.batches && random() < 0.25) later.push({ at: int(260), work: ingestWork(...batch.reverse()) });
  }
  for (let client = 0; client < CLIENTS; client++) later.push({ at: client ? int(220) : 0, work: subscribeWork(client) });
  for (let count = 0; conditions.repeats && count < 8; count++) later.push({ at: int(300), work: drainWork(true) });
  for (let client = 0; kind === 'state' && conditions.resubscribes && client < CLIENTS; client++) {
    const at = int(240);
    if (random() < 0.5) later.push({ at, work: unsubscribeWork(client) });
    // every client ends subscribed
    later.push({ at: at + int(60), work: subscribeWork(client) }, { at: 320, work: subscribeWork(client) });
  }

  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const retry = ({ work }: Worker): void => {
    if (work.retried && !conditions.noRetry) later.push({ at: now + VISIBILITY, work });
  };
  const begin = (work: Work): void => {
    const worker: Worker = { work, steps: [] };
    workers.add(worker);
    void work.start(worker).then((succeeded) => {
      workers.delete(worker);
      if (!succeeded) retry(worker);
    });
  };

  for (let steps = 0; workers.size > 0 || later.length > 0; steps++) {
    if (steps > 60_000) return { fail: 'does not end', olderAfterNewer: 0, repeats: 0 };
    now++;
    for (let index = later.length - 1; index >= 0; index--) {
      const due = later[index];
      if (due && due.at <= now) {
        later.splice(index, 1);
        begin(due.work);
      }
    }
    await settle();
    const ready = [...workers].flatMap((one) => one.steps.filter(({ wakeAt }) => wakeAt <= now).map((step) => ({ worker: one, step })));
    const chosen = ready[int(ready.length)];
    if (!chosen) {
      const next = Math.min(
        ...later.map(({ at }) => at),
        ...[...workers].flatMap(({ steps: waiting }) => waiting.map(({ wakeAt }) => wakeAt)),
      );
      if (Number.isFinite(next)) now = Math.max(now, next - 1);
      continue;
    }
    const { worker, step } = chosen;
    const mayDie = worker.work.retried || conditions.killSubscribers;
    if (mayDie && random() < 0.02) {
      workers.delete(worker);
      if (worker.work.client !== undefined) lostClients.add(worker.work.client);
      retry(worker);
      continue;
    }
    if (conditions.stalls && random() < 0.01) {
      for (const waiting of worker.steps) waiting.wakeAt = now + int(150);
      continue;
    }
    worker.steps.splice(worker.steps.indexOf(step), 1);
    step.resolve();
  }
  return verdictOf(kind, delivered, lostClients, await headOf(shared.topics, topic));
}

async function headOf(topics: ReturnType<typeof memoryTopics>, topic: string): Promise<number> {
  const state = (await topics.read([topic])).get(topic);
  const log = await topics.readLog(topic, 0, 1000);
  return Math.max(state?.head ?? 0, log.at(-1)?.offset ?? 0);
}

function verdictOf(kind: Kind, delivered: readonly number[][], lost: ReadonlySet<number>, head: number): Verdict {
  let olderAfterNewer = 0;
  let repeats = 0;
  let fail: string | null = null;
  for (const [client, offsets] of delivered.entries()) {
    const seen = new Set<number>();
    let newest = 0;
    for (const offset of offsets) {
      if (seen.has(offset)) repeats++;
      else if (offset < newest) olderAfterNewer++;
      else if (kind === 'log' && offset !== newest + 1) fail ??= `client ${client} first sees ${offset} after ${newest}`;
      if (kind === 'state' && seen.has(offset) && offset < (offsets[offsets.indexOf(offset)] ?? 0)) olderAfterNewer++;
      seen.add(offset);
      newest = Math.max(newest, offset);
    }
    if (lost.has(client)) continue;
    if (kind === 'state' && offsets.at(-1) !== head) fail ??= `client ${client} ends on ${offsets.at(-1)}, the newest is ${head}`;
    if (kind === 'log' && newest !== head) fail ??= `client ${client} ends at ${newest} of ${head}`;
  }
  if (kind === 'log' && head !== EVENTS) fail ??= `${EVENTS} events have ${head} positions`;
  return { fail, olderAfterNewer, repeats };
}

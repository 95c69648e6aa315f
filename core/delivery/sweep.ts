import { bounded, chunksOf } from '../base/concurrency.ts';
import type { Channels } from '../channels/channels.ts';
import { type DisconnectPorts, disconnect } from '../connections/disconnect.ts';
import { METRIC } from '../names.ts';
import type { Audience, Catalogue, Connection, Gateway, Job, Jobs, SubscriptionKey, Topics, Turns } from '../ports.ts';
import { ONLY_SHARD } from './subscribe.ts';

export interface SweepPorts extends DisconnectPorts {
  readonly audience: Audience;
  readonly topics: Topics;
  readonly turns: Turns;
  readonly catalogue: Catalogue;
  readonly gateway: Gateway;
  readonly jobs: Jobs;
  readonly channels: Channels;
  readonly newId: () => string;
  readonly idleTimeoutSeconds: number;
  readonly pingIntervalSeconds: number;
}

/** How often the sweep runs. */
export const SWEEP_MS = 60_000;

const SEGMENTS = 4;
const AT_ONCE = 16;
/** Pings that one job posts. */
const PINGS_PER_JOB = 100;
/** Topics that one job tells again. */
const KEEPALIVES_PER_JOB = 50;
/** A topic heard for less may just be being subscribed to. */
const HEARD_AT_LEAST_MS = 2 * SWEEP_MS;

/** What one pass over the connections found. */
interface Found {
  readonly open: Connection[];
  readonly listened: Set<string>;
  /** Subscriptions made between one and three sweeps ago: their handler may have died half-way. */
  readonly young: SubscriptionKey[];
  readonly topicsOf: Map<string, string[]>;
}

/** The minute's housekeeping: closes the silent, pings who is due, deletes what is gone, and puts counters right. */
export async function sweep(ports: SweepPorts): Promise<void> {
  const { clock, connections, catalogue, report } = ports;
  const now = clock.now();
  const found = await scan(now, ports);
  const alive = await closeSilent(found, now, ports);
  await pingDue(alive, found, now, ports);
  await drainLate(found.young, ports);
  const heard = await unhearDeserted(found.listened, now, ports);
  await connections.setCount(alive.length);
  report.count(METRIC.liveConnections, alive.length);
  await catalogue.saveStatus('sweep', { at: now, connections: alive.length, topics: heard });
  report.info('swept', { connections: alive.length, topics: heard });
}

async function scan(now: number, { connections }: SweepPorts): Promise<Found> {
  const found: Found = { open: [], listened: new Set(), young: [], topicsOf: new Map() };
  await bounded(Array.from({ length: SEGMENTS }).keys(), SEGMENTS, async (segment) => {
    for await (const page of connections.scan(segment, SEGMENTS)) {
      for (const item of page) {
        if (item.kind === 'connection') {
          found.open.push(item.connection);
          continue;
        }
        const { topic, connectionId } = item.key;
        found.listened.add(topic);
        found.topicsOf.set(connectionId, [...(found.topicsOf.get(connectionId) ?? []), topic]);
        const age = now - item.atMs;
        if (age >= SWEEP_MS && age < 3 * SWEEP_MS) found.young.push(item.key);
      }
    }
  });
  return found;
}

/** Gives those who stay. */
async function closeSilent(found: Found, now: number, ports: SweepPorts): Promise<Connection[]> {
  const idleMs = ports.idleTimeoutSeconds * 1000;
  const told = new Map<string, Promise<number>>();
  const toldAt = (topic: string): Promise<number> => {
    const known = told.get(topic) ?? ports.turns.read(topic, ONLY_SHARD).then((turn) => turn?.toldAtMs ?? 0);
    told.set(topic, known);
    return known;
  };
  const alive: Connection[] = [];
  await bounded(found.open, AT_ONCE, async (connection) => {
    const { connectionId } = connection;
    const reason = connection.expiresAtMs <= now ? 'expired' : stoppedAnswering(connection, now, idleMs) ? 'stopped answering pings' : null;
    if (reason === null) {
      const lastMs = Math.max(connection.connectedAtMs, connection.touchedAtMs, connection.toldAtMs);
      if (now - lastMs <= idleMs) return void alive.push(connection);
      // only one that would be closed is worth looking up what it was told
      const times = await Promise.all((found.topicsOf.get(connectionId) ?? []).map(toldAt));
      const toldMs = Math.max(0, ...times);
      if (now - toldMs <= idleMs) {
        await ports.connections.told(connectionId, toldMs);
        return void alive.push(connection);
      }
    }
    ports.report.info('closing', { connectionId, reason: reason ?? 'silent' });
    await ports.gateway.close(connectionId);
    await disconnect(connectionId, ports);
  });
  return alive;
}

/** It once answered a ping, and has said nothing since one that came longer ago than the silence allowed. */
function stoppedAnswering({ pingedAtMs, pongedAtMs, touchedAtMs }: Connection, now: number, idleMs: number): boolean {
  return pongedAtMs > 0 && touchedAtMs < pingedAtMs && now - touchedAtMs > idleMs;
}

/**
 * Who is due is pinged, and told the newest of topics that keep alive. It goes out spread over the minute, so that it
 * takes no burst of the account's quota. STOMP knows no ping: its clients send heart-beats.
 */
async function pingDue(alive: readonly Connection[], found: Found, now: number, ports: SweepPorts): Promise<void> {
  const { connections, jobs, channels, pingIntervalSeconds } = ports;
  const due = alive.filter(
    ({ pingedAtMs, connectedAtMs }) => now - Math.max(pingedAtMs, connectedAtMs) >= pingIntervalSeconds * 1000 - SWEEP_MS / 2,
  );
  await bounded(due, AT_ONCE, ({ connectionId }) => connections.pinged(connectionId, now));
  const pinged = due.filter(({ dialect }) => dialect === 'json').map(({ connectionId }) => connectionId);
  const topics = new Set(due.flatMap(({ connectionId }) => found.topicsOf.get(connectionId) ?? []));
  const kept = [...topics].filter((topic) => channels.of(topic)?.keepsAlive);
  const work: Job[] = [
    ...chunksOf(pinged, PINGS_PER_JOB).map((connectionIds): Job => ({ kind: 'ping', connectionIds })),
    ...chunksOf(kept, KEEPALIVES_PER_JOB).map((some): Job => ({ kind: 'keepalive', topics: some })),
  ];
  for (const [index, job] of work.entries()) await jobs.put(job, Math.floor((index * 50) / work.length));
}

/** A subscription still late after a minute: its handler died before it could ask for the drain. */
async function drainLate(young: readonly SubscriptionKey[], { audience, jobs }: SweepPorts): Promise<void> {
  const late = new Set<string>();
  for (const keys of chunksOf(young, 100)) {
    for (const subscription of await audience.find(keys)) {
      if (subscription?.late) late.add(subscription.topic);
    }
  }
  for (const topic of late) await jobs.put({ kind: 'drain', topic, shard: ONLY_SHARD });
}

/**
 * Nobody listens to a topic any more: its events need not be drained. The flag is taken back first and the audience
 * looked at afterwards, so that a subscriber in between is either seen here or sees the flag gone. Gives how many
 * topics stay heard.
 */
async function unhearDeserted(
  listened: ReadonlySet<string>,
  now: number,
  { catalogue, topics, audience, jobs, newId }: SweepPorts,
): Promise<number> {
  const heard = await catalogue.heard();
  const deserted = heard.filter(({ topic, atMs, leaving }) => leaving || (!listened.has(topic) && now - atMs >= HEARD_AT_LEAST_MS));
  await bounded(deserted, AT_ONCE, async ({ topic, atMs }) => {
    // noted first: whoever dies between the flag and the look leaves it to the next sweep
    await catalogue.markLeaving(topic);
    const stamp = newId();
    await topics.unhear(topic, stamp);
    for await (const page of audience.pages(topic, ONLY_SHARD)) {
      if (page.length === 0) continue;
      await catalogue.addHeard(topic, now);
      await topics.hear(topic);
      return jobs.put({ kind: 'drain', topic, shard: ONLY_SHARD });
    }
    await topics.desert(topic, stamp);
    await catalogue.removeHeard(topic, atMs);
  });
  return heard.length - deserted.length;
}

import { bounded, chunksOf } from '../base/concurrency.ts';
import type { Channels } from '../channels/channels.ts';
import { closeWithError } from '../connections/close-with-error.ts';
import { forgetComeBack, whoComesBack } from '../connections/come-back.ts';
import { type DisconnectPorts, disconnect } from '../connections/disconnect.ts';
import { REFUSED_SECONDS } from '../connections/refuse.ts';
import { tokenExpired, isExpired as tokenIsExpired } from '../identity.ts';
import { METRIC } from '../names.ts';
import { ONLY_SHARD, type SubscriptionKey } from '../ports/audience.ts';
import type { Connection } from '../ports/connections.ts';
import type { Job } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';

export interface SweepPorts extends DisconnectPorts, Pick<Ports, 'topics' | 'turns' | 'catalogue' | 'gateway' | 'jobs' | 'newId'> {
  readonly channels: Channels;
  /** 0 = no limit. */
  readonly maxConnections: number;
  readonly idleTimeoutSeconds: number;
  readonly pingIntervalSeconds: number;
  /** A front door ends a connection to which nothing was sent for ten minutes, whatever the client sends. */
  readonly behindFrontDoor: boolean;
}

/** How often the sweep runs. */
export const SWEEP_MS = 60_000;

const SEGMENTS = 4;
const AT_ONCE = 16;
/** Pings that one job posts. */
const PINGS_PER_JOB = 100;
/** Topics whose newest message one job delivers again. */
const KEEPALIVES_PER_JOB = 50;
/** A subscribe to a topic that was heard only just now may still be in flight. */
const HEARD_AT_LEAST_MS = 2 * SWEEP_MS;

/** The result of one pass over the connections. */
interface Found {
  readonly open: Connection[];
  readonly listened: Set<string>;
  /** Subscriptions made between one and three sweeps ago: their handler may have died before it asked for the drain. */
  readonly young: SubscriptionKey[];
  readonly topicsOf: Map<string, string[]>;
}

/** The minute's housekeeping: closes silent connections, pings those that are due, deletes what is gone, and corrects counters. */
export async function sweep(ports: SweepPorts): Promise<void> {
  const { clock, connections, catalogue, report } = ports;
  const now = clock.now();
  const correctCount = await connections.recount(ports.maxConnections);
  const found = await scan(now, ports);
  await correctCount(found.open.length);
  const alive = await closeSilent(found, now, ports);
  await pingDue(alive, found, now, ports);
  await askBack(alive, ports);
  await drainLate(found.young, ports);
  const heard = await unhearDeserted(found.listened, now, ports);
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

/** Returns the connections that stay open. */
async function closeSilent(found: Found, now: number, ports: SweepPorts): Promise<Connection[]> {
  const idleMs = ports.idleTimeoutSeconds * 1000;
  const times = new Map<string, Promise<number>>();
  const deliveredAt = (topic: string): Promise<number> => {
    const known = times.get(topic) ?? ports.turns.read(topic, ONLY_SHARD).then((turn) => turn?.deliveredAtMs ?? 0);
    times.set(topic, known);
    return known;
  };
  const alive: Connection[] = [];
  await bounded(found.open, AT_ONCE, async (connection) => {
    const { connectionId } = connection;
    if (isExpired(connection, now)) {
      if (!(await endExpired(connectionId, now, ports))) alive.push(connection);
      return;
    }
    const reason = closingReason(connection, now, idleMs);
    if (reason === null) {
      const lastMs = Math.max(connection.connectedAtMs, connection.touchedAtMs, connection.deliveredAtMs);
      if (now - lastMs <= idleMs) return void alive.push(connection);
      // a delivery counts as life; it is looked up only for a connection that would be closed
      const deliveredMs = Math.max(0, ...(await Promise.all((found.topicsOf.get(connectionId) ?? []).map(deliveredAt))));
      if (now - deliveredMs <= idleMs) {
        await ports.connections.delivered(connectionId, deliveredMs);
        return void alive.push(connection);
      }
    }
    ports.report.info('closing', { connectionId, reason: reason ?? 'silent' });
    await ports.gateway.close(connectionId);
    await disconnect(connectionId, ports);
  });
  return alive;
}

const isExpired = ({ principal }: Connection, now: number): boolean => principal !== null && tokenIsExpired(principal, now);

/** Ends a connection whose token has expired, with the reason. False if it was renewed since the look at all. */
async function endExpired(connectionId: string, now: number, ports: SweepPorts): Promise<boolean> {
  const connection = await ports.connections.read(connectionId);
  if (!connection) return true;
  if (!isExpired(connection, now)) return false;
  ports.report.info('closing', { connectionId, reason: 'its token has expired' });
  await closeWithError(connection, tokenExpired(), ports);
  return true;
}

/** The reason to close a connection, whatever was delivered to it; `null` = none. */
function closingReason(connection: Connection, now: number, idleMs: number): string | null {
  if (connection.expiresAtMs <= now) return 'expired';
  if (isRefused(connection, now)) return 'refused';
  return stoppedAnswering(connection, now, idleMs) ? 'stopped answering pings' : null;
}

/** Its job to close it was lost. */
const isRefused = ({ refusedAtMs }: Connection, now: number): boolean => refusedAtMs > 0 && now - refusedAtMs > REFUSED_SECONDS * 1000;

/** It once answered a ping, and has sent nothing since a ping that is older than the allowed silence. */
function stoppedAnswering({ pingedAtMs, pongedAtMs, touchedAtMs }: Connection, now: number, idleMs: number): boolean {
  return pongedAtMs > 0 && touchedAtMs < pingedAtMs && now - touchedAtMs > idleMs;
}

/**
 * Connections that are due get a ping, and the newest of their topics that keep alive. Both are spread over the minute,
 * so that they take no burst of the account's quota. STOMP has no ping: its clients send heart-beats, and get one only where a
 * front door would end them, and no kept topic reaches them anyway.
 */
async function pingDue(alive: readonly Connection[], found: Found, now: number, ports: SweepPorts): Promise<void> {
  const { connections, jobs, channels, pingIntervalSeconds, behindFrontDoor } = ports;
  const due = alive.filter(
    ({ pingedAtMs, connectedAtMs }) => now - Math.max(pingedAtMs, connectedAtMs) >= pingIntervalSeconds * 1000 - SWEEP_MS / 2,
  );
  await bounded(due, AT_ONCE, ({ connectionId }) => connections.pinged(connectionId, now));
  const pinged = due.filter(({ dialect }) => dialect === 'json').map(({ connectionId }) => connectionId);
  const keepsAlive = (topic: string): boolean => channels.of(topic)?.keepsAlive ?? false;
  const beaten = due.filter(({ dialect, connectionId }) => dialect !== 'json' && !found.topicsOf.get(connectionId)?.some(keepsAlive));
  const topics = new Set(due.flatMap(({ connectionId }) => found.topicsOf.get(connectionId) ?? []));
  const kept = [...topics].filter(keepsAlive);
  const work: Job[] = [
    ...chunksOf(pinged, PINGS_PER_JOB).map((connectionIds): Job => ({ kind: 'ping', connectionIds })),
    ...(behindFrontDoor ? chunksOf(beaten, PINGS_PER_JOB) : []).map(
      (some): Job => ({ kind: 'beat', connectionIds: some.map(({ connectionId }) => connectionId) }),
    ),
    ...chunksOf(kept, KEEPALIVES_PER_JOB).map((some): Job => ({ kind: 'keepalive', topics: some })),
  ];
  for (const [index, job] of work.entries()) await jobs.put(job, Math.floor((index * 50) / work.length));
}

/** Asks the clients that were asked for to come back, in jobs spread over the minute. */
async function askBack(alive: readonly Connection[], ports: SweepPorts): Promise<void> {
  const asked = await whoComesBack(alive, ports);
  if (!asked) return;
  const { connectionIds, afterMs, withinMs } = asked;
  const work = chunksOf(connectionIds, PINGS_PER_JOB).map((some): Job => ({ kind: 'reconnect', connectionIds: some, afterMs, withinMs }));
  for (const [index, job] of work.entries()) await ports.jobs.put(job, Math.floor((index * 50) / work.length));
  await forgetComeBack(asked, ports);
}

/** A subscription that is still late after a minute: its handler died before it could ask for the drain. */
async function drainLate(young: readonly SubscriptionKey[], { audience, jobs }: SweepPorts): Promise<void> {
  const late = new Set<string>();
  for (const keys of chunksOf(young, 100)) {
    for (const subscription of await audience.find(keys)) {
      if (subscription && subscription.late !== null) late.add(subscription.topic);
    }
  }
  for (const topic of late) await jobs.put({ kind: 'drain', topic, shard: ONLY_SHARD });
}

/**
 * Topics without subscribers: their events need not be drained. The mark is taken back before the audience is read, so
 * that a subscriber in between is either seen here or finds the mark gone. Returns how many topics stay heard.
 */
async function unhearDeserted(
  listened: ReadonlySet<string>,
  now: number,
  { catalogue, topics, audience, jobs, newId }: SweepPorts,
): Promise<number> {
  const heard = await catalogue.heard();
  const deserted = heard.filter(({ topic, atMs, leaving }) => leaving || (!listened.has(topic) && now - atMs >= HEARD_AT_LEAST_MS));
  await bounded(deserted, AT_ONCE, async ({ topic, atMs }) => {
    // noted first: if this sweep dies between the mark and the read, the next one looks again
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

/**
 * Ingest: queue records become messages, and their topics are drained. Its phases: read the events (an invalid one goes to
 * the dead-letter queue with the reason); commit each topic's outcomes in order, and list the topics that are new; then drain
 * the topics that are heard.
 */
import { bounded } from '../base/concurrency.ts';
import { formatPosition } from '../base/position.ts';
import type { Channel, Outcome } from '../channels/channel.ts';
import { type CommitPorts, commit, placeOf, type Share } from '../delivery/commit.ts';
import { type DrainPorts, drain } from '../delivery/drain.ts';
import { PushError } from '../errors.ts';
import { DRAIN_TIMEOUT_SECONDS, MAX_INLINE_BYTES, METRIC } from '../names.ts';
import { ONLY_SHARD } from '../ports/audience.ts';
import type { QueueRecord } from '../ports/jobs.ts';
import type { Ports } from '../ports/ports.ts';
import { checkSize, idIn, readEnvelope, withEntries } from './envelope.ts';

export interface IngestPorts extends CommitPorts, DrainPorts, Pick<Ports, 'bodies' | 'deadLetters'> {
  readonly maxMessageBytes: number;
}

/** Commits and drains in flight at once; drains mostly wait for their topic's window. */
const AT_ONCE = 64;

/** Commits start within this time, and drains a second later. If the function timed out instead, all its records would be retried. */
const COMMIT_MS = (DRAIN_TIMEOUT_SECONDS * 1_000) / 2;
const DRAIN_MS = COMMIT_MS + 1_000;

/** An outcome, with what orders it among the others. */
interface Accepted extends Share {
  readonly acceptedAtMs: number;
  readonly index: number;
}

/** Returns the ids of the records that must come back. */
export async function ingest(records: readonly QueueRecord[], ports: IngestPorts): Promise<string[]> {
  const failed = new Set<string>();
  const startedMs = ports.clock.now();
  const isLate = (ms: number): boolean => ports.clock.now() - startedMs > ms;
  const late = new Set<string>();
  const fail = (ids: Iterable<string>, what: string, error: unknown, facts: object = {}): void => {
    ports.report.error(what, error, { records: [...ids], ...facts });
    ports.report.count(METRIC.errors);
    for (const id of ids) failed.add(id);
  };

  const accepted: Accepted[] = [];
  await bounded(records, AT_ONCE, async (record) => {
    try {
      accepted.push(...(await readOrBury(record, ports)));
    } catch (error) {
      fail([record.id], 'an event was not read', error);
    }
  });

  const said: Said[] = [];
  const heard: { readonly topic: string; readonly channel: Channel; readonly ids: ReadonlySet<string> }[] = [];
  const commits = bounded(byPlace(accepted), AT_ONCE, async (shares) => {
    const ids = new Set(shares.map(({ recordId }) => recordId));
    if (isLate(COMMIT_MS)) {
      for (const id of ids) late.add(id);
      return;
    }
    try {
      const { topic, epoch, fates, failed: some } = await commit(shares, ports);
      for (const { eventId, offset } of fates)
        said.push({
          id: eventId,
          topic: placeOf(shares[0].outcome),
          position: offset === null ? null : formatPosition(epoch, offset),
          heard: topic !== null,
        });
      for (const { recordId, error } of some) fail([recordId], 'an event was not committed', error, { place: placeOf(shares[0].outcome) });
      if (topic !== null) heard.push({ topic, channel: shares[0].channel, ids });
    } catch (error) {
      fail(ids, 'events were not committed', error, { place: placeOf(shares[0].outcome) });
    }
  });

  const listings = [...toList(accepted)].map(async ([channel, { topics, ids }]) => {
    try {
      await ports.catalogue.listNew(channel, [...topics]);
    } catch (error) {
      fail(ids, 'topics were not listed', error, { channel });
    }
  });
  await Promise.all([commits, ...listings]);
  sayCommitted(said, ports);
  if (late.size > 0) ports.report.warn('a batch took too long: some of its records come back', { records: late.size });

  // after all commits, since a drain may wait
  await bounded(heard, AT_ONCE, async ({ topic, channel, ids }) => {
    try {
      if (isLate(DRAIN_MS)) await ports.jobs.put({ kind: 'drain', topic, shard: ONLY_SHARD });
      else await drain({ topic, shard: ONLY_SHARD, channel }, ports);
    } catch (error) {
      fail(ids, 'a topic was not drained', error, { topic });
    }
  });
  return [...new Set([...failed, ...late])];
}

/** The fate of an event in one topic, as the log tells it (`npm run trace`). */
interface Said {
  readonly id: string;
  readonly topic: string;
  /** `null` = the topic held something of the same or a later time. */
  readonly position: string | null;
  /** Somebody may be subscribed. */
  readonly heard: boolean;
}

/** An event with more entries than this is told in numbers. */
const MOST_SAID = 10;

/** One line for a batch: a line for each event would cost more than its write. */
function sayCommitted(said: readonly Said[], { report }: IngestPorts): void {
  const byEvent = new Map<string, Said[]>();
  for (const one of said) byEvent.set(one.id, [...(byEvent.get(one.id) ?? []), one]);
  const events = [...byEvent].flatMap<object>(([id, some]) =>
    some.length <= MOST_SAID ? some : [{ id, topics: some.length, committed: some.filter(({ position }) => position !== null).length }],
  );
  if (events.length > 0) report.info('committed', { events });
}

/** Outcomes of one place together, in the order in which their events were accepted. */
function byPlace(accepted: readonly Accepted[]): [Accepted, ...Accepted[]][] {
  const places = new Map<string, [Accepted, ...Accepted[]]>();
  const inOrder = [...accepted].sort((a, b) => a.acceptedAtMs - b.acceptedAtMs || a.index - b.index);
  for (const one of inOrder) {
    const place = placeOf(one.outcome);
    const there = places.get(place);
    if (there) there.push(one);
    else places.set(place, [one]);
  }
  return [...places.values()];
}

/** The topics of channels that list them, and the records that name them, by channel. */
function toList(accepted: readonly Accepted[]): Map<string, { readonly topics: Set<string>; readonly ids: Set<string> }> {
  const channels = new Map<string, { topics: Set<string>; ids: Set<string> }>();
  for (const { channel, outcome, recordId } of accepted) {
    if (!channel.listed || outcome.kind === 'listing') continue;
    const there = channels.get(channel.name) ?? { topics: new Set(), ids: new Set() };
    channels.set(channel.name, there);
    there.topics.add(outcome.topic);
    there.ids.add(recordId);
  }
  return channels;
}

/** The outcomes of one event: none if it is invalid, and in the dead-letter queue. */
async function readOrBury(
  { id, body, sentAtMs }: QueueRecord,
  { channels, deadLetters, report, maxMessageBytes }: IngestPorts,
): Promise<Accepted[]> {
  const bury = async (event: string, reason: string): Promise<void> => {
    await deadLetters.bury(event, reason);
    report.count(METRIC.invalidEvents);
    report.warn('an invalid event was buried', { id: idIn(event), reason });
  };
  try {
    const { event, outcomes, refused } = readEnvelope(body, sentAtMs, channels);
    // events that upstreams put onto the bus themselves were not measured before; a character has at most three bytes
    if (body.length > maxMessageBytes / 3) checkSize(event.detail, maxMessageBytes);
    if (body.length > MAX_INLINE_BYTES / 3) for (const { outcome } of outcomes) checkStateSize(outcome);
    const list = channels.event(event.source, event.detailType)?.type.list;
    const [first] = refused;
    if (first && list) {
      const entries = refused.map(({ entry }) => entry);
      await bury(withEntries(body, list, entries), `${entries.length} of its entries: ${first.error.message}`);
    }
    const { acceptedAtMs, index } = event;
    return outcomes.map((one) => ({ recordId: id, eventId: event.id, ...one, acceptedAtMs, index }));
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    await bury(body, error.message);
    return [];
  }
}

/** A state is never delivered by reference: one that no frame can hold would stop its topic for every subscriber. */
function checkStateSize(outcome: Outcome): void {
  if (outcome.kind === 'state') checkSize(outcome.value, MAX_INLINE_BYTES);
}

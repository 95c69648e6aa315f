import { bounded } from '../base/concurrency.ts';
import type { Outcome } from '../channels/channel.ts';
import { type CommitPorts, commit, placeOf } from '../delivery/commit.ts';
import { type DrainPorts, drain } from '../delivery/drain.ts';
import { ONLY_SHARD } from '../delivery/subscribe.ts';
import { PushError } from '../errors.ts';
import { METRIC } from '../names.ts';
import { checkSize, type KnownEvent, readEnvelope } from './envelope.ts';

export interface IngestPorts extends CommitPorts, DrainPorts {
  readonly maxMessageBytes: number;
  readonly deadEvents: {
    /** Keeps an event that can never be served, with the reason. */
    bury(body: string, reason: string): Promise<void>;
  };
}

export interface QueueRecord {
  readonly id: string;
  readonly body: string;
}

/** Commits and drains under way at once; drains mostly wait for their topic's window. */
const AT_ONCE = 64;

/** What an event comes to on one topic, and the record that brought it. */
interface Item {
  readonly recordId: string;
  readonly outcome: Outcome;
  readonly acceptedAtMs: number;
  readonly index: number;
}

/**
 * Commits the events of some queue records and drains their topics. Gives the ids of the records that must come
 * back; an invalid event never does, it is buried with the reason.
 */
export async function ingest(records: readonly QueueRecord[], ports: IngestPorts): Promise<string[]> {
  const failed = new Set<string>();
  /** False where it failed. */
  const failing = async (ids: Iterable<string>, what: string, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      ports.report.error(what, error);
      ports.report.count(METRIC.errors);
      for (const id of ids) failed.add(id);
      return false;
    }
  };

  const items: Item[] = [];
  await bounded(records, AT_ONCE, async (record) => {
    await failing([record.id], 'an event was not read', async () => {
      const known = await readOrBury(record, ports);
      if (!known) return;
      const { acceptedAtMs, index } = known.event;
      for (const outcome of known.type.outcomes(known.parsed, known.event))
        items.push({ recordId: record.id, outcome, acceptedAtMs, index });
    });
  });
  const interested: { readonly topic: string; readonly ids: ReadonlySet<string> }[] = [];
  await bounded(byPlace(items), AT_ONCE, async (together) => {
    const ids = new Set(together.map(({ recordId }) => recordId));
    await failing(ids, 'events were not committed', async () => {
      // each by itself: one that fails brings its record back, and must not keep the others waiting until then
      const shares = together.map(({ recordId, outcome }) => ({
        outcome,
        recordId,
        attempt: (work: () => Promise<void>) => failing([recordId], 'an event was not committed', work),
      }));
      const topic = await commit(shares, ports);
      if (topic !== null) interested.push({ topic, ids });
    });
  });
  // only when all is committed: a drain may wait
  await bounded(interested, AT_ONCE, async ({ topic, ids }) => {
    await failing(ids, 'a topic was not drained', () => drain({ topic, shard: ONLY_SHARD }, ports));
  });
  return [...failed];
}

/** What belongs together, in the order in which it was accepted. */
function byPlace(items: readonly Item[]): Item[][] {
  const places = new Map<string, Item[]>();
  const inOrder = [...items].sort((a, b) => a.acceptedAtMs - b.acceptedAtMs || a.index - b.index);
  for (const item of inOrder) {
    const place = placeOf(item.outcome);
    const there = places.get(place);
    if (there) there.push(item);
    else places.set(place, [item]);
  }
  return [...places.values()];
}

async function readOrBury(
  { body }: QueueRecord,
  { channels, deadEvents, report, maxMessageBytes }: IngestPorts,
): Promise<KnownEvent | null> {
  try {
    const known = readEnvelope(body, channels);
    // what upstreams put onto the bus themselves was measured by nobody
    if (body.length > maxMessageBytes / 3) checkSize(known.event.detail, maxMessageBytes);
    return known;
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    report.count(METRIC.invalidEvents);
    report.warn('an invalid event was buried', { reason: error.message });
    await deadEvents.bury(body, error.message);
    return null;
  }
}

import { bounded } from './bounded.ts';
import { type CommitPorts, commit } from './commit.ts';
import { type DrainPorts, drain } from './drain.ts';
import { type KnownEvent, readEnvelope } from './envelope.ts';
import { PushError } from './errors.ts';
import { METRIC } from './names.ts';
import { ONLY_SHARD } from './subscribe.ts';

export interface IngestPorts extends CommitPorts, DrainPorts {
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

/**
 * Commits the events of some queue records and drains their topics. Gives the ids of the records that must come
 * back; an invalid event never does, it is buried with the reason.
 */
export async function ingest(records: readonly QueueRecord[], ports: IngestPorts): Promise<string[]> {
  const failed = new Set<string>();
  const interested = new Map<string, Set<string>>();
  const failing = async (ids: Iterable<string>, what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      ports.report.error(what, error);
      ports.report.count(METRIC.errors);
      for (const id of ids) failed.add(id);
    }
  };

  await bounded(records, AT_ONCE, (record) =>
    failing([record.id], 'an event was not read', async () => {
      const known = await readOrBury(record, ports);
      if (!known) return;
      // each by itself: one that fails brings the record back, and must not keep the others waiting until then
      await bounded(known.type.outcomes(known.parsed, known.event), AT_ONCE, (outcome) =>
        failing([record.id], 'an event was not committed', async () => {
          const topic = await commit(outcome, ports);
          if (topic === null) return;
          const ids = interested.get(topic) ?? new Set();
          interested.set(topic, ids.add(record.id));
        }),
      );
    }),
  );
  await bounded(interested, AT_ONCE, ([topic, ids]) =>
    failing(ids, 'a topic was not drained', () => drain({ topic, shard: ONLY_SHARD }, ports)),
  );
  return [...failed];
}

async function readOrBury({ body }: QueueRecord, { channels, deadEvents, report }: IngestPorts): Promise<KnownEvent | null> {
  try {
    return readEnvelope(body, channels);
  } catch (error) {
    if (!(error instanceof PushError)) throw error;
    report.count(METRIC.invalidEvents);
    report.warn('an invalid event was buried', { reason: error.message });
    await deadEvents.bury(body, error.message);
    return null;
  }
}

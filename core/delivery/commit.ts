/** Commit: outcomes of events become messages of one topic, each once, however often its event comes. */
import { latestOrder } from '../base/ordering.ts';
import type { Channel, Kind, Listing, LogCommit, Outcome } from '../channels/channel.ts';
import { METRIC } from '../names.ts';
import type { Ports } from '../ports/ports.ts';
import type { StateCommit, TopicState } from '../ports/topics.ts';
import { inlineOrReference, type LargeMessagePorts } from './large-messages.ts';
import { openLog } from './log-writer.ts';

export interface CommitPorts extends LargeMessagePorts, Pick<Ports, 'topics' | 'catalogue' | 'report'> {}

/** One outcome, and the queue record that brought it. */
export interface Share {
  readonly outcome: Outcome;
  readonly channel: Channel;
  readonly recordId: string;
  /** Of the event that it comes of. */
  readonly eventId: string;
}

/** The fate of an outcome: `offset` is `null` if the topic held one of the same or a later time already. */
export interface Fate {
  readonly eventId: string;
  readonly offset: number | null;
}

export interface CommitResult {
  /** The topic to drain; `null` if it is not heard. */
  readonly topic: string | null;
  /** The topic's epoch; empty if nothing was written. */
  readonly epoch: string;
  readonly fates: readonly Fate[];
  /** Records that must come back. */
  readonly failed: readonly { readonly recordId: string; readonly error: unknown }[];
}

/** Outcomes of one place are committed together, in order. */
export const placeOf = (outcome: Outcome): string => (outcome.kind === 'listing' ? `listing of ${outcome.channel}` : outcome.topic);

/**
 * Commits outcomes of one place, one after another: otherwise they would race for the same item. A failure fails its own
 * record only. A redelivery drains too, since an earlier try may have died between commit and drain. Throws if the
 * topic cannot be opened, or its head not be written: all its records must then come back.
 */
export async function commit(shares: readonly [Share, ...Share[]], ports: CommitPorts): Promise<CommitResult> {
  for (const { outcome } of shares) if (outcome.kind !== 'listing' && outcome.ahead) ports.report.count(METRIC.eventsAhead);
  const { state, failed, fates } = await COMMITS[shares[0].outcome.kind](shares, ports);
  return { topic: state?.heard ? state.topic : null, epoch: state?.epoch ?? '', fates, failed };
}

type Committed = Pick<CommitResult, 'failed' | 'fates'> & { readonly state: TopicState | null };

const COMMITS: Readonly<Record<Kind | 'listing', (shares: readonly [Share, ...Share[]], ports: CommitPorts) => Promise<Committed>>> = {
  state: (shares, ports) => eachAlone(shares, ({ outcome, channel }) => commitState(outcome as StateCommit, channel, ports)),
  listing: (shares, ports) => eachAlone(shares, ({ outcome }) => list(outcome as Listing, ports)),
  log: commitLog,
};

type Work = (share: Share) => Promise<{ readonly state: TopicState | null; readonly offset: number | null }>;

async function eachAlone(shares: readonly Share[], work: Work): Promise<Committed> {
  const failed: { recordId: string; error: unknown }[] = [];
  const fates: Fate[] = [];
  let state: TopicState | null = null;
  for (const share of shares) {
    try {
      const done = await work(share);
      ({ state } = done);
      if (state) fates.push({ eventId: share.eventId, offset: done.offset });
    } catch (error) {
      failed.push({ recordId: share.recordId, error });
    }
  }
  return { state, failed, fates };
}

async function commitState(outcome: StateCommit, channel: Channel, { topics, clock }: CommitPorts): ReturnType<Work> {
  const committed = await topics.commitState(outcome, latestOrder(clock.now()));
  await channel.committed?.(committed, { topics });
  return { state: committed.state, offset: committed.changed ? committed.state.head : null };
}

async function list({ channel, entries }: Listing, { catalogue }: CommitPorts): ReturnType<Work> {
  await catalogue.list(channel, entries);
  return { state: null, offset: null };
}

async function commitLog(shares: readonly [Share, ...Share[]], ports: CommitPorts): Promise<Committed> {
  const { topic } = shares[0].outcome as LogCommit;
  // bodies of large ones are stored side by side: only their offsets are taken one after another
  const entries = shares.map(({ outcome, channel, recordId, eventId }) => {
    const { eventId: entryId, value } = outcome as LogCommit;
    const stored = inlineOrReference(topic, value, channel, ports);
    // awaited below, where a failure fails its record
    stored.catch(() => undefined);
    return { recordId, eventId, entryId, stored };
  });
  const log = await openLog(topic, ports.topics);
  const failed = new Map<string, unknown>();
  const fates: Fate[] = [];
  for (const { recordId, eventId, entryId, stored } of entries) {
    // the parts of one event stay in order: those after a failed one come back with it
    if (failed.has(recordId)) continue;
    try {
      fates.push({ eventId, offset: await log.append(entryId, await stored) });
    } catch (error) {
      failed.set(recordId, error);
    }
  }
  return {
    state: fates.length > 0 ? await log.finish() : null,
    fates,
    failed: [...failed].map(([recordId, error]) => ({ recordId, error })),
  };
}

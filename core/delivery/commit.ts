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
}

export interface CommitResult {
  /** The topic to drain; `null` if it is not heard. */
  readonly topic: string | null;
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
  const { state, failed } = await COMMITS[shares[0].outcome.kind](shares, ports);
  return { topic: state?.heard ? state.topic : null, failed };
}

type Committed = Pick<CommitResult, 'failed'> & { readonly state: TopicState | null };

const COMMITS: Readonly<Record<Kind | 'listing', (shares: readonly [Share, ...Share[]], ports: CommitPorts) => Promise<Committed>>> = {
  state: (shares, ports) => eachAlone(shares, ({ outcome, channel }) => commitState(outcome as StateCommit, channel, ports)),
  listing: (shares, ports) => eachAlone(shares, ({ outcome }) => list(outcome as Listing, ports)),
  log: commitLog,
};

async function eachAlone(shares: readonly Share[], work: (share: Share) => Promise<TopicState | null>): Promise<Committed> {
  const failed: { recordId: string; error: unknown }[] = [];
  let state: TopicState | null = null;
  for (const share of shares) {
    try {
      state = await work(share);
    } catch (error) {
      failed.push({ recordId: share.recordId, error });
    }
  }
  return { state, failed };
}

async function commitState(outcome: StateCommit, channel: Channel, { topics, clock }: CommitPorts): Promise<TopicState> {
  const committed = await topics.commitState(outcome, latestOrder(clock.now()));
  await channel.committed?.(committed, { topics });
  return committed.state;
}

async function list({ channel, entries }: Listing, { catalogue }: CommitPorts): Promise<null> {
  await catalogue.list(channel, entries);
  return null;
}

async function commitLog(shares: readonly [Share, ...Share[]], ports: CommitPorts): Promise<Committed> {
  const { topic } = shares[0].outcome as LogCommit;
  // bodies of large ones are stored side by side: only their offsets are taken one after another
  const entries = shares.map(({ outcome, channel, recordId }) => {
    const { eventId, value } = outcome as LogCommit;
    const stored = inlineOrReference(topic, value, channel, ports);
    // awaited below, where a failure fails its record
    stored.catch(() => undefined);
    return { recordId, eventId, stored };
  });
  const log = await openLog(topic, ports.topics);
  const failed = new Map<string, unknown>();
  let appended = 0;
  for (const { recordId, eventId, stored } of entries) {
    // the parts of one event stay in order: those after a failed one come back with it
    if (failed.has(recordId)) continue;
    try {
      await log.append(eventId, await stored);
      appended++;
    } catch (error) {
      failed.set(recordId, error);
    }
  }
  return { state: appended > 0 ? await log.finish() : null, failed: [...failed].map(([recordId, error]) => ({ recordId, error })) };
}

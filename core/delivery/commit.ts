import type { Channel, LogCommit, Outcome, StateCommit } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { METRIC } from '../names.ts';
import type { Catalogue, Report, TopicState, Topics } from '../ports.ts';
import { type AsidePorts, fitting } from './large-messages.ts';
import { openLog } from './log-writer.ts';

export interface CommitPorts extends AsidePorts {
  readonly topics: Topics;
  readonly catalogue: Catalogue;
  readonly channels: Channels;
  readonly report: Report;
}

/** What one event comes to on one topic. `attempt` runs its share of the work, and keeps a failure to itself. */
export interface Share {
  readonly outcome: Outcome;
  /** The record that brought it. */
  readonly recordId: string;
  /** False where the work failed. */
  attempt(work: () => Promise<void>): Promise<boolean>;
}

/** Where an outcome belongs: what belongs together is committed in order. */
export const placeOf = (outcome: Outcome): string => (outcome.kind === 'listing' ? `listing of ${outcome.channel}` : outcome.topic);

/**
 * Makes outcomes of events on one topic messages, one after another: else they would race for the same place. Each
 * once, however often the event comes. Gives the topic to drain, or `null` where nobody listens. A redelivery drains
 * too: an earlier try may have died between commit and drain.
 */
export async function commit(shares: readonly Share[], ports: CommitPorts): Promise<string | null> {
  for (const { outcome } of shares) if (outcome.kind !== 'listing' && outcome.ahead) ports.report.count(METRIC.eventsAhead);
  const [first] = shares;
  const state = first?.outcome.kind === 'log' ? await commitLog(first.outcome.topic, shares, ports) : await commitStates(shares, ports);
  return state?.heard ? state.topic : null;
}

async function commitStates(shares: readonly Share[], ports: CommitPorts): Promise<TopicState | null> {
  let state: TopicState | null = null;
  for (const { outcome, attempt } of shares) {
    await attempt(async () => {
      if (outcome.kind === 'listing') await ports.catalogue.list(outcome.channel, outcome.entries);
      else state = await commitState(outcome as StateCommit, ports);
    });
  }
  return state;
}

async function commitState(outcome: StateCommit, { topics, catalogue, channels }: CommitPorts): Promise<TopicState> {
  const { changed, state } = await topics.commitState(outcome);
  const channel = channels.of(state.topic);
  if (channel?.catalogued && !state.listed) {
    await catalogue.list(channel.name, [{ topic: state.topic, name: null }]);
    await catalogue.markListed(state.topic);
  }
  const thinned = changed && channel ? channel.thinRecent(state.recent) : null;
  if (thinned) await topics.thinRecent(state, thinned);
  return state;
}

async function commitLog(topic: string, shares: readonly Share[], ports: CommitPorts): Promise<TopicState | null> {
  const channel = ports.channels.of(topic) as Channel;
  // large ones are set aside side by side: only their places are taken one after another
  const values = shares.map(({ outcome }) => fitting(topic, (outcome as LogCommit).value, channel, ports));
  for (const value of values) value.catch(() => undefined);
  const log = await openLog(topic, ports.topics);
  const failed = new Set<string>();
  let appended = 0;
  for (const [index, { outcome, recordId, attempt }] of shares.entries()) {
    // the parts of one event stay in order: what follows one that failed comes back with it
    if (failed.has(recordId)) continue;
    const done = await attempt(async () => log.append((outcome as LogCommit).eventId, (await values[index]) as object));
    if (done) appended++;
    else failed.add(recordId);
  }
  return appended > 0 ? log.finish() : null;
}

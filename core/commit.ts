import type { LogCommit, Outcome, StateCommit } from './channels/channel.ts';
import type { Channels } from './channels/registry.ts';
import { METRIC } from './names.ts';
import type { Catalogue, Report, TopicState, Topics } from './ports.ts';

export interface CommitPorts {
  readonly topics: Topics;
  readonly catalogue: Catalogue;
  readonly channels: Channels;
  readonly report: Report;
}

/**
 * Makes an outcome of an event a message, once, however often the event comes. Gives the topic to drain, or `null`
 * where nobody listens. A redelivery drains too: an earlier try may have died between commit and drain.
 */
export async function commit(outcome: Outcome, ports: CommitPorts): Promise<string | null> {
  if (outcome.kind === 'listing') {
    await ports.catalogue.list(outcome.channel, outcome.entries);
    return null;
  }
  if (outcome.ahead) ports.report.count(METRIC.eventsAhead);
  const state = outcome.kind === 'state' ? await commitState(outcome, ports) : await commitLog(outcome, ports.topics);
  return state.heard ? state.topic : null;
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

/**
 * The log item is the commit, so a crash leaves no hole; the head is raised afterwards and is only a hint. An event
 * keeps the base of its first try: with a newer one it would pass its own item and stand in the log twice.
 */
async function commitLog({ topic, eventId, value }: LogCommit, topics: Topics): Promise<TopicState> {
  const before = (await topics.read([topic])).get(topic);
  const base = await topics.eventBase(topic, eventId, before?.head ?? 0);
  let offset = base + 1;
  while ((await topics.putLog(topic, offset, eventId, value)) === 'taken') offset++;
  return topics.raiseHead(topic, offset);
}

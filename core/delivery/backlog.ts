/** The messages that one round of a drain has to deliver, and the part of them that each subscription lacks. */
import type { Channel } from '../channels/channel.ts';
import type { Subscription } from '../ports/audience.ts';
import type { TopicState, Topics } from '../ports/topics.ts';
import type { Frame } from '../protocol/encode.ts';
import type { OutgoingPorts } from './messages.ts';

export interface Backlog {
  /** Up to which offset the audience has everything already. */
  readonly from: number;
  /** Up to which it has everything after this round. */
  readonly head: number;
  readonly epoch: string;
  /** The log holds more than one round takes. */
  readonly more: boolean;
  /** The messages that a subscriber at offset `last` still needs. */
  after(last: number, subscription: Pick<Subscription, 'late'>): Promise<Portion>;
}

export interface Portion {
  readonly frames: readonly Frame[];
  /** Up to which offset the frames go. */
  readonly upTo: number;
  /** There is more after them. */
  readonly more: boolean;
}

export interface BacklogPorts extends OutgoingPorts {
  readonly topics: Topics;
}

export interface BacklogRequest {
  readonly channel: Channel;
  readonly from: number;
  /** State topics: subscribers that lack nothing get the newest again. */
  readonly repeat: boolean;
}

/** A kind's way to make the backlog of a topic's state. */
export type MakeBacklog = (state: TopicState, request: BacklogRequest, ports: BacklogPorts) => Promise<Backlog>;

/** Nothing to deliver after `last`. */
export const nothing = (last: number): Portion => ({ frames: [], upTo: last, more: false });

/** Reads the head, strongly consistent, and what lies between the cursor and it. */
export async function readBacklog(
  request: { topic: string; channel: Channel; cursor: { cursor: number; epoch: string }; done: number; repeat: boolean },
  make: MakeBacklog,
  ports: BacklogPorts,
): Promise<Backlog> {
  const { topic, channel, cursor, done, repeat } = request;
  const state = (await ports.topics.read([topic])).get(topic);
  if (!state) return { from: done, head: done, epoch: '', more: false, after: async (last) => nothing(last) };
  // a topic that was forgotten and made anew counts from 1 again: a cursor of another epoch says nothing
  // messages from before the current listeners go only to subscriptions that asked for them, and those are late
  const from = Math.max(done, cursor.epoch === state.epoch ? cursor.cursor : 0, state.heardFrom);
  return make(state, { channel, from, repeat }, ports);
}

import type { Position } from '../base/position.ts';
import type { TopicState, Topics } from '../ports/topics.ts';
import type { MakeBacklog } from './backlog.ts';

/** The differences between the kinds of topics in delivery. */
export interface KindStrategy {
  /** Deliveries keep a distance; messages that come in between are conflated. */
  readonly paced: boolean;
  /** After a turn was lost or taken over, the newest is delivered once more: an older post may have arrived last. */
  readonly repeatsNewest: boolean;
  /** Each round saves its progress, so that a crash repeats less. */
  readonly savesRounds: boolean;
  /** A throttled consumer that lacks more messages than this is closed. */
  readonly maxBehind: number;
  readonly backlog: MakeBacklog;
  /** The offset of the newest message. */
  head(state: TopicState, topics: Topics): Promise<number>;
  /** The `since` of a subscription that starts with what is committed from now on; `null` if the kind needs none. */
  sinceNow(state: TopicState | undefined): Position | null;
  /** Whether a message was committed after `from`, as far as `state` or the log says. */
  hasMore(state: TopicState, from: number, topics: Topics): Promise<boolean>;
}

/** The start of a log's replay. */
import type { Position } from '../base/position.ts';
import type { History } from '../channels/channel.ts';
import type { Ports } from '../ports/ports.ts';
import type { LogMessage, TopicState, Topics } from '../ports/topics.ts';
import { logHead, readLogAfter } from './log-reader.ts';

/** The newest so many messages, instead of those after a position. */
export interface Newest {
  readonly last: number;
}

export const isPosition = (since: Position | Newest | null): since is Position => since !== null && 'epoch' in since;

export interface ReplayStart {
  /** Messages after this offset are replayed. */
  readonly start: number;
  readonly head: number;
  /** Nothing is missing between the wanted position and the start. */
  readonly whole: boolean;
  /** The first page after the start; empty if nothing was wanted. */
  readonly first: readonly LogMessage[];
}

/**
 * The replay starts after the wanted position; at the log's beginning if the position is unknown or of another epoch; and
 * never before the channel's history. If the newest so many are wanted, it starts that far before the head; if nothing is, at the head.
 */
export async function replayStart(
  wanted: Position | Newest | null,
  state: TopicState,
  history: History,
  { topics, clock }: Pick<Ports, 'topics' | 'clock'>,
): Promise<ReplayStart> {
  if (wanted === null) {
    const head = await logHead(state, topics);
    return { start: head, head, whole: false, first: [] };
  }
  if ('last' in wanted) {
    const head = await logHead(state, topics);
    const start = await inHistory(Math.max(0, head - wanted.last), head, history, state.topic, topics, clock.now());
    const { messages } = await readLogAfter(state, start, topics);
    return { start, head: Math.max(head, messages.at(-1)?.offset ?? 0), whole: false, first: messages };
  }
  const known = wanted.epoch === state.epoch;
  // a client that got a message beyond the hint knows a position that the hint does not
  const head = known && wanted.offset > state.head ? await logHead(state, topics) : state.head;
  const asked = known && wanted.offset <= head ? wanted.offset : 0;
  const start = await inHistory(asked, head, history, state.topic, topics, clock.now());
  const { messages } = await readLogAfter(state, start, topics);
  const newest = messages.at(-1)?.offset ?? 0;
  const whole = known && start === wanted.offset && (messages[0]?.offset ?? head + 1) === start + 1;
  return { start, head: Math.max(head, newest), whole, first: messages };
}

/**
 * The offset itself, or the first later one after which everything is still history. The age is searched by bisection: it
 * reads about as many items as the log's length has binary digits, while a scan would read all.
 */
async function inHistory(
  asked: number,
  head: number,
  { messages, ms, most }: History,
  topic: string,
  topics: Topics,
  nowMs: number,
): Promise<number> {
  const kept = head - messages;
  const isYoung = async (after: number): Promise<boolean> => {
    const atMs = await topics.committedAfter(topic, after);
    return atMs !== null && atMs > nowMs - ms;
  };
  let old = Math.max(asked, head - most);
  if (old >= kept || (await isYoung(old))) return old;
  let young = kept;
  while (young - old > 1) {
    const middle = Math.floor((old + young) / 2);
    if (await isYoung(middle)) young = middle;
    else old = middle;
  }
  return young;
}

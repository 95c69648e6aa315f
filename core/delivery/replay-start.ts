/** Where a log is told from. */

import type { Position } from '../base/position.ts';
import type { History } from '../channels/channel.ts';
import type { Clock, LogMessage, TopicState, Topics } from '../ports.ts';
import { readLogAfter } from './backlog.ts';

export interface LogStart {
  /** What comes after this offset is told. */
  readonly start: number;
  readonly head: number;
  /** Nothing is missing between what was wanted and the start. */
  readonly whole: boolean;
  /** The first that are to be told; of the head, none. */
  readonly first: readonly LogMessage[];
}

/** The head of a log: its hint, and what follows it without a gap. */
export async function logHead(state: TopicState, topics: Topics): Promise<number> {
  for (let head = state.head; ; ) {
    const { messages, full } = await readLogAfter({ ...state, head }, head, topics);
    head = messages.at(-1)?.offset ?? head;
    if (!full) return head;
  }
}

/**
 * Where a log is told from: after the position, or all of it where that is of another life or none of ours, as far back
 * as its history goes; or from the head.
 */
export async function startOf(
  wanted: Position | null,
  state: TopicState,
  history: History,
  { topics, clock }: { readonly topics: Topics; readonly clock: Clock },
): Promise<LogStart> {
  if (wanted === null) {
    const head = await logHead(state, topics);
    return { start: head, head, whole: false, first: [] };
  }
  const known = wanted.epoch === state.epoch;
  // who was told beyond the hint knows a position that the hint does not
  const head = known && wanted.offset > state.head ? await logHead(state, topics) : state.head;
  const asked = known && wanted.offset <= head ? wanted.offset : 0;
  const start = await inHistory(asked, head, history, state.topic, topics, clock.now());
  const { messages } = await readLogAfter(state, start, topics);
  const newest = messages.at(-1)?.offset ?? 0;
  const whole = known && start === wanted.offset && (messages[0]?.offset ?? head + 1) === start + 1;
  return { start, head: Math.max(head, newest), whole, first: messages };
}

/**
 * The offset itself, or the first later one after which everything still counts as history. By age it is searched for
 * by halves: a log may be long, and who comes back after a night asks for one look at a time, not for the night.
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

/** Reads a log. Its head is a hint that may lag behind: what follows it without a gap was committed too. */
import type { LogMessage, TopicState, Topics } from '../ports/topics.ts';

/** Log messages read at once. */
export const LOG_PAGE = 100;

/** The head of a log: its hint, and what follows it without a gap. */
export async function logHead(state: TopicState, topics: Topics): Promise<number> {
  for (let head = state.head; ; ) {
    const { messages, full } = await readLogAfter({ ...state, head }, head, topics);
    head = messages.at(-1)?.offset ?? head;
    if (!full) return head;
  }
}

/**
 * Messages after an offset that may be delivered: those up to the head, and beyond it what follows without a gap. (A gap
 * below the head was trimmed; a gap beyond it may be a commit that this read just missed.)
 */
export async function readLogAfter(state: TopicState, after: number, topics: Topics): Promise<{ messages: LogMessage[]; full: boolean }> {
  const read = await topics.readLog(state.topic, after, LOG_PAGE);
  const messages: LogMessage[] = [];
  let next = Math.max(after, state.head) + 1;
  for (const message of read) {
    if (message.offset > state.head && message.offset !== next) break;
    if (message.offset === next) next++;
    messages.push(message);
  }
  return { messages, full: read.length === LOG_PAGE && messages.length === LOG_PAGE };
}

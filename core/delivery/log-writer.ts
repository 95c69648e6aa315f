/**
 * Appends to a log without transactions. The log item is the commit, so a crash leaves no hole: an event takes the first
 * free offset after its base, the head it saw on its first try. If a later try had a later base, it would pass the
 * event's own item and append it twice.
 */
import type { TopicState, Topics } from '../ports/topics.ts';

/** Items read at once to look past those that other writers put. */
const LOOK = 100;

/** One writer's appends, in one order: together they cost one read and one raise of the head. */
export interface LogWriter {
  /** Appends the event once, however often it comes. Returns its offset. */
  append(eventId: string, value: object): Promise<number>;
  /** Raises the head, which is only a hint: readers look past it. Returns the topic's item as it is afterwards. */
  finish(): Promise<TopicState>;
}

export async function openLog(topic: string, topics: Topics): Promise<LogWriter> {
  let last = (await topics.read([topic])).get(topic)?.head ?? 0;
  return {
    async append(eventId, value) {
      const base = await topics.eventBase(topic, eventId, last);
      const offset = await place(topic, base, eventId, value, topics);
      last = Math.max(last, offset);
      return offset;
    },
    finish: () => topics.raiseHead(topic, last),
  };
}

/** Puts the event at the first free offset after its base, unless it has one already. Returns the offset. */
async function place(topic: string, base: number, eventId: string, value: object, topics: Topics): Promise<number> {
  for (let offset = base + 1; ; ) {
    if ((await topics.putLog(topic, offset, eventId, value)) === 'put') return offset;
    // other writers were faster: one read looks past them, instead of one try each
    offset++;
    for (const taken of await topics.readLog(topic, offset - 1, LOOK)) {
      if (taken.eventId === eventId) return taken.offset;
      if (taken.offset !== offset) break;
      offset++;
    }
  }
}

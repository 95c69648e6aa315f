import type { TopicState, Topics } from '../ports.ts';

/** Items looked at once, where others were faster. */
const LOOK = 100;

/** Appends to one log. What one writer appends, in one order, costs a look at the head and a raise of it only once. */
export interface LogWriter {
  /** Once, however often the event comes: the log item is the commit, so a crash leaves no hole. */
  append(eventId: string, value: object): Promise<void>;
  /** Raises the head, which is only a hint: readers look past it. Gives the topic's item as it is afterwards. */
  finish(): Promise<TopicState>;
}

export async function openLog(topic: string, topics: Topics): Promise<LogWriter> {
  let last = (await topics.read([topic])).get(topic)?.head ?? 0;
  return {
    async append(eventId, value) {
      // an event keeps the base of its first try: with a newer one it would pass its own item and stand in the log twice
      const base = await topics.eventBase(topic, eventId, last);
      last = Math.max(last, await place(topic, base, eventId, value, topics));
    },
    finish: () => topics.raiseHead(topic, last),
  };
}

/** Puts the event at the first free offset after its base, unless it has one already. Gives the offset. */
async function place(topic: string, base: number, eventId: string, value: object, topics: Topics): Promise<number> {
  for (let offset = base + 1; ; ) {
    if ((await topics.putLog(topic, offset, eventId, value)) === 'put') return offset;
    // others were faster: they are looked past in one read, not in a try each
    offset++;
    for (const taken of await topics.readLog(topic, offset - 1, LOOK)) {
      if (taken.eventId === eventId) return taken.offset;
      if (taken.offset !== offset) break;
      offset++;
    }
  }
}

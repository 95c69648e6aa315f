import { LOG_LIFE_MS } from '../../../core/base/lifetimes.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { LogMessage, TopicState, Topics } from '../../../core/ports/topics.ts';

export function memoryTopics(clock: Pick<Clock, 'now'>): Topics {
  type Stored = { -readonly [Name in keyof TopicState]: TopicState[Name] } & {
    orders: Record<string, string>;
    deserted: boolean;
    unheardBy: string;
  };
  const states = new Map<string, Stored>();
  const bases = new Map<string, { base: number; expiresAtMs: number }>();
  const logs = new Map<string, Map<number, { eventId: string; value: object; expiresAtMs: number }>>();
  let epochs = 0;
  const make = (topic: string): Stored => {
    const state = states.get(topic) ?? {
      topic,
      epoch: `epoch${++epochs}`,
      head: 0,
      parts: {},
      notes: {},
      heard: false,
      heardFrom: 0,
      deserted: true,
      unheardBy: '',
      expiresAtMs: null,
      orders: {},
    };
    states.set(topic, state);
    return state;
  };
  const copy = ({ orders: _, deserted: __, unheardBy: ___, ...state }: Stored): TopicState => ({
    ...state,
    parts: { ...state.parts },
    notes: { ...state.notes },
  });
  const logOf = (topic: string) => {
    const log = logs.get(topic) ?? new Map<number, { eventId: string; value: object; expiresAtMs: number }>();
    logs.set(topic, log);
    return log;
  };
  return {
    async commitState({ topic, part, order, value, append }, latest) {
      const before = states.get(topic);
      const stored = before?.orders[part] ?? '';
      if (before && stored >= order && stored <= latest) return { changed: false, state: copy(before) };
      const state = make(topic);
      state.orders[part] = order;
      state.parts = { ...state.parts, [part]: value };
      const lists = Object.entries(append).map(([name, entry]) => [name, [...((state.notes[name] as string[] | undefined) ?? []), entry]]);
      state.notes = { ...state.notes, ...Object.fromEntries(lists) };
      state.head++;
      return { changed: true, state: copy(state) };
    },
    async note(seen, notes) {
      const state = states.get(seen.topic);
      if (state?.head === seen.head) state.notes = { ...state.notes, ...notes };
    },
    async read(topics) {
      return new Map(topics.flatMap((topic) => (states.has(topic) ? [[topic, copy(states.get(topic) as Stored)] as const] : [])));
    },
    async hear(topic) {
      const state = make(topic);
      state.heard = true;
      if (state.deserted) state.heardFrom = state.head;
      state.deserted = false;
      state.unheardBy = '';
      return copy(state);
    },
    create: async (topic) => copy(make(topic)),
    async unhear(topic, stamp) {
      const state = states.get(topic);
      if (!state) return;
      state.heard = false;
      state.unheardBy = stamp;
    },
    async desert(topic, stamp) {
      const state = states.get(topic);
      if (!state || state.heard || state.unheardBy !== stamp) return;
      if (state.head === 0) return void states.delete(topic);
      state.heardFrom = 0;
      state.deserted = true;
    },
    async eventBase(topic, eventId, base) {
      const key = `${topic} ${eventId}`;
      const before = bases.get(key);
      if (before && before.expiresAtMs > clock.now()) return before.base;
      bases.set(key, { base, expiresAtMs: clock.now() + LOG_LIFE_MS });
      return base;
    },
    async putLog(topic, offset, eventId, value) {
      const log = logOf(topic);
      const there = log.get(offset);
      if (there && there.eventId !== eventId) return 'taken';
      log.set(offset, { eventId, value: there?.value ?? value, expiresAtMs: there?.expiresAtMs ?? clock.now() + LOG_LIFE_MS });
      return 'put';
    },
    async raiseHead(topic, head) {
      const state = make(topic);
      state.head = Math.max(state.head, head);
      return copy(state);
    },
    async committedAfter(topic, after) {
      const next = [...logOf(topic)].sort(([a], [b]) => a - b).find(([offset]) => offset > after);
      return next ? next[1].expiresAtMs - LOG_LIFE_MS : null;
    },
    async readLog(topic, after, limit): Promise<LogMessage[]> {
      return [...logOf(topic)]
        .filter(([offset, { expiresAtMs }]) => offset > after && expiresAtMs > clock.now())
        .sort(([a], [b]) => a - b)
        .slice(0, limit)
        .map(([offset, { eventId, value, expiresAtMs }]) => ({ offset, eventId, atMs: expiresAtMs - LOG_LIFE_MS, value }));
    },
  };
}

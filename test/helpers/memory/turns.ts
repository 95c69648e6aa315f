import type { Turn, Turns } from '../../../core/ports/turns.ts';

export function memoryTurns(): Turns {
  const items = new Map<string, Turn>();
  const at = (topic: string, shard: number): Turn =>
    items.get(`${topic}#${shard}`) ?? { holder: '', untilMs: 0, pokes: 0, cursor: 0, epoch: '', deliveredAtMs: 0, nextAtMs: 0 };
  const put = (topic: string, shard: number, change: Partial<Turn>): Turn => {
    const turn = { ...at(topic, shard), ...change };
    items.set(`${topic}#${shard}`, turn);
    return turn;
  };
  return {
    async poke(topic, shard, me, untilMs) {
      const turn = at(topic, shard);
      const free = turn.holder === '';
      return put(topic, shard, { pokes: turn.pokes + 1, ...(free ? { holder: me, untilMs } : {}) });
    },
    async takeOver(topic, shard, seen, me, untilMs) {
      const turn = at(topic, shard);
      return turn.holder === seen.holder && turn.untilMs === seen.untilMs ? put(topic, shard, { holder: me, untilMs }) : null;
    },
    read: async (topic, shard) => items.get(`${topic}#${shard}`) ?? null,
    async extend(topic, shard, me, untilMs) {
      if (at(topic, shard).holder !== me) return false;
      put(topic, shard, { untilMs });
      return true;
    },
    async abandon(topic, shard, me) {
      if (at(topic, shard).holder === me) put(topic, shard, { holder: '', untilMs: 0 });
    },
    async save(topic, shard, me, progress, untilMs) {
      if (at(topic, shard).holder !== me) return false;
      put(topic, shard, { ...progress, untilMs });
      return true;
    },
    async release(topic, shard, me, { cursor, epoch, deliveredAtMs, nextAtMs, pokes }) {
      const turn = at(topic, shard);
      if (turn.holder !== me) return 'lost';
      if (pokes !== null && turn.pokes !== pokes) return 'poked';
      put(topic, shard, { cursor, epoch, deliveredAtMs, nextAtMs, holder: '', untilMs: 0 });
      return 'released';
    },
  };
}

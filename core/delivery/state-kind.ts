/** State topics: a subscription that lacks something gets the newest message, and only that. */
import { frameOf, type MakeBacklog, nothing } from './backlog.ts';
import type { KindStrategy } from './kind.ts';
import { newestOf } from './messages.ts';

const stateBacklog: MakeBacklog = async (state, { channel, from, repeat }, ports) => {
  const fresh = frameOf(newestOf(state, channel, ports));
  const again = repeat ? frameOf(newestOf(state, channel, ports, true)) : null;
  return {
    from,
    head: state.head,
    epoch: state.epoch,
    more: false,
    async after(last, { late }) {
      if (last < state.head) return { frames: fresh ? [fresh] : [], upTo: state.head, more: false };
      // a subscription that has something newer than this round's head must not get that head again
      return again && !late && last === state.head ? { frames: [again], upTo: last, more: false } : nothing(last);
    },
  };
};

export const STATE: KindStrategy = {
  paced: true,
  redeliversNewest: true,
  savesRounds: false,
  maxBehind: Number.POSITIVE_INFINITY,
  backlog: stateBacklog,
  head: async ({ head }) => head,
  hasMore: async ({ head }, from) => head > from,
  sinceNow: () => null,
};

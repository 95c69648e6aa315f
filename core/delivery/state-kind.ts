/** State topics: a subscription that lacks something gets the newest message, and only that. */
import { frameOf } from '../protocol/encode.ts';
import { type MakeBacklog, nothing } from './backlog.ts';
import type { KindStrategy } from './kind.ts';
import { newestOf } from './messages.ts';

const stateBacklog: MakeBacklog = async (state, { channel, from, repeat }, ports) => {
  const newest = newestOf(state, channel, ports);
  const fresh = newest ? [frameOf(newest)] : [];
  const repeated = repeat ? newestOf(state, channel, ports, true) : null;
  const again = repeated ? [frameOf(repeated)] : [];
  return {
    from,
    head: state.head,
    epoch: state.epoch,
    more: false,
    async after(last, { late }) {
      if (last < state.head) return { frames: fresh, upTo: state.head, more: false };
      // a subscription that has something newer than this round's head must not get that head again
      return late === null && last === state.head ? { frames: again, upTo: last, more: false } : nothing(last);
    },
  };
};

export const STATE: KindStrategy = {
  paced: true,
  repeatsNewest: true,
  savesRounds: false,
  maxBehind: Number.POSITIVE_INFINITY,
  backlog: stateBacklog,
  head: async ({ head }) => head,
  hasMore: async ({ head }, from) => head > from,
  sinceNow: () => null,
};

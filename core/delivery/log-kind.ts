/** Log topics: a subscription gets every message after its own offset, in order. */
import type { LogMessage } from '../ports/topics.ts';
import { type Frame, frameOf } from '../protocol/encode.ts';
import { type MakeBacklog, nothing } from './backlog.ts';
import type { KindStrategy } from './kind.ts';
import { logHead, readLogAfter } from './log-reader.ts';
import { logMessage } from './messages.ts';

/** A throttled consumer of a log that lacks more messages is closed: it would only fall further behind. */
const MAX_BEHIND = 1_000;

/** Pages and frames that several subscriptions need are read and encoded once. */
const logBacklog: MakeBacklog = async (state, { channel, from }, ports) => {
  const frames = new Map<number, Frame[]>();
  const framesOf = (stored: LogMessage): Frame[] => {
    const known = frames.get(stored.offset);
    if (known) return known;
    const message = logMessage(state, channel, stored, ports);
    const made = message ? [frameOf(message)] : [];
    frames.set(stored.offset, made);
    return made;
  };
  const pages = new Map<number, Promise<{ messages: LogMessage[]; full: boolean }>>();
  const pageAfter = (after: number) => {
    const known = pages.get(after) ?? readLogAfter(state, after, ports.topics);
    pages.set(after, known);
    return known;
  };
  const fresh = await pageAfter(from);
  const head = fresh.messages.at(-1)?.offset ?? Math.max(from, state.head);
  return {
    from,
    head,
    epoch: state.epoch,
    more: fresh.full,
    async after(last) {
      if (last >= head) return nothing(last);
      const { messages } = await pageAfter(last);
      const upTo = messages.filter(({ offset }) => offset <= head);
      const reached = upTo.at(-1)?.offset ?? head;
      return { frames: upTo.flatMap(framesOf), upTo: reached, more: reached < head };
    },
  };
};

export const LOG: KindStrategy = {
  paced: false,
  repeatsNewest: false,
  savesRounds: true,
  maxBehind: MAX_BEHIND,
  backlog: logBacklog,
  head: logHead,
  // the head is a hint: a message may lie beyond it already
  hasMore: async (state, from, topics) => state.head > from || (await readLogAfter(state, from, topics)).messages.length > 0,
  sinceNow: (state) => ({ epoch: state?.epoch ?? '', offset: state?.head ?? 0 }),
};

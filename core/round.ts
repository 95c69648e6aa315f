import type { Channel } from './channels/channel.ts';
import type { Clock, LogMessage, Subscription, TopicState, Topics } from './ports.ts';
import { formatJson } from './protocol/json.ts';

/** A message as one subscription is told it. */
export interface Frame {
  readonly offset: number;
  readonly frame: string;
}

/** What there is to tell in one round of a drain. */
export interface Round {
  /** Up to which offset the audience was told before. */
  readonly from: number;
  /** Up to which it is told after this round. */
  readonly head: number;
  /** A log holds more than one round takes. */
  readonly more: boolean;
  /** The frames that one who has everything up to `last` lacks; `more`: ask again after the last of them. */
  after(last: number, subscription: Pick<Subscription, 'late'>): Promise<{ readonly frames: readonly Frame[]; readonly more: boolean }>;
}

export interface RoundPorts {
  readonly topics: Topics;
  readonly clock: Clock;
}

/** Log messages read at once. */
export const LOG_PAGE = 100;

const NOTHING = { frames: [], more: false } as const;

/** Reads the head, strongly consistent, and says who gets what. */
export async function readRound(
  request: { topic: string; channel: Channel; from: number; retell: boolean },
  ports: RoundPorts,
): Promise<Round> {
  const { topic, channel, from } = request;
  const state = (await ports.topics.read([topic])).get(topic);
  if (!state) return { from, head: from, more: false, after: async () => NOTHING };
  return channel.kind === 'state' ? stateRound(state, request, ports) : logRound(state, request, ports);
}

/** State: whoever lacks something gets the newest, and only that. */
function stateRound(
  state: TopicState,
  { channel, from, retell }: { channel: Channel; from: number; retell: boolean },
  { clock }: RoundPorts,
): Round {
  const fresh = newestOf(state, channel, clock.now());
  const again = retell ? retellingOf(state, channel, clock.now()) : null;
  return {
    from,
    head: state.head,
    more: false,
    async after(last, { late }) {
      if (last < state.head) return fresh ? { frames: [fresh], more: false } : NOTHING;
      // who has something newer than this round's head already must not be told it again
      return again && !late && last === state.head ? { frames: [again], more: false } : NOTHING;
    },
  };
}

/** Log: everything after what one has, in order. Ranges that several want are read once. */
async function logRound(
  state: TopicState,
  { channel, from }: { channel: Channel; from: number },
  { topics, clock }: RoundPorts,
): Promise<Round> {
  const frameOf = ({ offset, value }: LogMessage): Frame[] => {
    const message = channel.json({ topic: state.topic, parts: { newest: value }, nowMs: clock.now(), retold: false });
    return message ? [{ offset, frame: formatJson(message, { epoch: state.epoch, offset }) }] : [];
  };
  const pages = new Map<number, Promise<{ messages: LogMessage[]; full: boolean }>>();
  const pageAfter = (after: number) => {
    const known = pages.get(after) ?? readLogAfter(state, after, topics);
    pages.set(after, known);
    return known;
  };
  const fresh = await pageAfter(from);
  const head = fresh.messages.at(-1)?.offset ?? Math.max(from, state.head);
  return {
    from,
    head,
    more: fresh.full,
    async after(last) {
      if (last >= head) return NOTHING;
      const { messages } = await pageAfter(last);
      const upTo = messages.filter(({ offset }) => offset <= head);
      return { frames: upTo.flatMap(frameOf), more: (upTo.at(-1)?.offset ?? head) < head };
    },
  };
}

/**
 * Messages after an offset that may be told: those the head vouches for, and beyond it what follows without a gap.
 * (A gap below the head was trimmed; one beyond it may be a commit that this read just missed.)
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

/** The newest message of a state topic as a frame; `null` where there is nothing to tell yet. */
export function newestOf(state: TopicState, channel: Channel, nowMs: number): Frame | null {
  const message = state.head > 0 ? channel.json({ topic: state.topic, parts: state.parts, nowMs, retold: false }) : null;
  return message ? { offset: state.head, frame: formatJson(message, { epoch: state.epoch, offset: state.head }) } : null;
}

/** The newest once more, without position: it is no new message. */
function retellingOf(state: TopicState, channel: Channel, nowMs: number): Frame | null {
  const message = state.head > 0 ? channel.json({ topic: state.topic, parts: state.parts, nowMs, retold: true }) : null;
  return message ? { offset: state.head, frame: formatJson(message) } : null;
}

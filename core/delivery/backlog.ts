import type { Channel } from '../channels/channel.ts';
import type { Clock, LogMessage, Subscription, TopicState, Topics } from '../ports.ts';
import { type Addressee, encoderOf, type Outgoing } from '../protocol/encode.ts';
import { asideOf } from './large-messages.ts';

/** A message as subscriptions are told it. */
interface Frame {
  readonly offset: number;
  /** It is told again although nothing is new. */
  readonly retold: boolean;
  /** Its text, in the dialect of who gets it. */
  readonly textFor: (to: Addressee) => string | null;
}

/** What there is to tell in one round of a drain. */
export interface Round {
  /** Up to which offset the audience was told before. */
  readonly from: number;
  /** Up to which it is told after this round. */
  readonly head: number;
  readonly epoch: string;
  /** A log holds more than one round takes. */
  readonly more: boolean;
  /** What one lacks who has everything up to `last`: some frames, up to which offset they go, and whether there are more. */
  after(last: number, subscription: Pick<Subscription, 'late'>): Promise<Lacking>;
}

interface Lacking {
  readonly frames: readonly Frame[];
  readonly upTo: number;
  readonly more: boolean;
}

export interface RoundPorts {
  readonly topics: Topics;
  readonly clock: Clock;
}

/** Log messages read at once. */
export const LOG_PAGE = 100;

const nothing = (last: number): Lacking => ({ frames: [], upTo: last, more: false });

/** Reads the head, strongly consistent, and says who gets what. */
export async function readRound(
  request: { topic: string; channel: Channel; told: { cursor: number; epoch: string }; done: number; retell: boolean },
  ports: RoundPorts,
): Promise<Round> {
  const { topic, channel, told, done, retell } = request;
  const state = (await ports.topics.read([topic])).get(topic);
  if (!state) return { from: done, head: done, epoch: '', more: false, after: async (last) => nothing(last) };
  // a topic that was forgotten and made anew counts from 1 again: an older cursor says nothing
  // what came while nobody listened is told only to those who ask for it, and they are late
  const from = Math.max(done, told.epoch === state.epoch ? told.cursor : 0, state.heardFrom);
  return channel.kind === 'state' ? stateRound(state, { channel, from, retell }, ports) : logRound(state, { channel, from }, ports);
}

/** State: whoever lacks something gets the newest, and only that. */
function stateRound(
  state: TopicState,
  { channel, from, retell }: { channel: Channel; from: number; retell: boolean },
  { clock }: RoundPorts,
): Round {
  const fresh = frameOf(newestOf(state, channel, clock.now()));
  const again = retell ? frameOf(newestOf(state, channel, clock.now(), true)) : null;
  return {
    from,
    head: state.head,
    epoch: state.epoch,
    more: false,
    async after(last, { late }) {
      if (last < state.head) return { frames: fresh ? [fresh] : [], upTo: state.head, more: false };
      // who has something newer than this round's head already must not be told it again
      return again && !late && last === state.head ? { frames: [again], upTo: last, more: false } : nothing(last);
    },
  };
}

/** Log: everything after what one has, in order. Ranges that several want are read once. */
async function logRound(
  state: TopicState,
  { channel, from }: { channel: Channel; from: number },
  { topics, clock }: RoundPorts,
): Promise<Round> {
  const frames = new Map<number, Frame[]>();
  const framesOf = (stored: LogMessage): Frame[] => {
    const known = frames.get(stored.offset);
    if (known) return known;
    const outgoing = logMessage(state, channel, stored, clock.now());
    const made = outgoing ? [{ offset: stored.offset, retold: false, textFor: encoderOf(outgoing) }] : [];
    frames.set(stored.offset, made);
    return made;
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

/** A message of a log topic; `null` where the channel has nothing to tell of it. */
export function logMessage(
  state: TopicState,
  channel: Channel,
  { offset, value }: Pick<LogMessage, 'offset' | 'value'>,
  nowMs: number,
): Outgoing | null {
  const aside = asideOf(value);
  const payload = aside ? aside.payload : channel.payload({ topic: state.topic, parts: { newest: value }, nowMs, retold: false });
  const narrow = aside
    ? (wanted: readonly string[]) => (aside.facets.some((facet) => wanted.includes(facet)) ? aside.payload : null)
    : narrowing(channel, payload);
  return payload && { topic: state.topic, payload, position: { epoch: state.epoch, offset }, retoldAtMs: null, narrow };
}

/** The newest message of a state topic; `null` where there is nothing to tell yet. */
export function newestOf(state: TopicState, channel: Channel, nowMs: number, retold = false): Outgoing | null {
  const payload = state.head > 0 ? channel.payload({ topic: state.topic, parts: state.parts, nowMs, retold }) : null;
  return (
    payload && {
      topic: state.topic,
      payload,
      position: { epoch: state.epoch, offset: state.head },
      retoldAtMs: retold ? nowMs : null,
      narrow: narrowing(channel, payload),
    }
  );
}

/** A filter that the channel does not know lets everything through. */
const narrowing =
  ({ filtering }: Channel, payload: object | null): Outgoing['narrow'] =>
  (wanted) =>
    payload && filtering ? filtering.narrow(payload, wanted) : payload;

const frameOf = (outgoing: Outgoing | null): Frame | null =>
  outgoing && { offset: outgoing.position.offset, retold: outgoing.retoldAtMs !== null, textFor: encoderOf(outgoing) };

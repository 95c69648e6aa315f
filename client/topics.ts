/** The topics that the program wants, each with its followers: what to ask the server for, and who gets what comes. */
import type { ClientError } from './errors.ts';
import type { Follower, Wire } from './follower.ts';
import { shapeOf } from './known.ts';
import { earliest, type Position, parsePosition } from './position.ts';

export interface Topic {
  readonly name: string;
  readonly followers: Set<Follower>;
  /** Raised when the server must be asked again: a follower with an older position, or a hole. */
  version: number;
  /** It must be asked for from the followers' positions again, and not only for the newest few. */
  resumes: boolean;
  epoch: string | null;
  /** The newest position that is known. */
  head: Position | null;
  /** The newest message, for those who watch it later. */
  newest: { readonly message: Wire; readonly position: Position } | null;
  /** The path of its event stream; `null` = not known. */
  stream: string | null;
  /** The position after which something was missing, and was asked for again. */
  healing: string | null;
  denied: ClientError | null;
  /** How often in a row the server was too busy for it. */
  busy: number;
}

export interface Topics {
  readonly all: Map<string, Topic>;
  /** Every epoch belongs to one topic: messages of a custom channel name theirs by nothing else. */
  readonly epochs: Map<string, Topic>;
}

export const createTopics = (): Topics => ({ all: new Map(), epochs: new Map() });

export function topicOf(name: string, { all }: Topics): Topic {
  const there = all.get(name);
  if (there) return there;
  const made: Topic = {
    name,
    followers: new Set(),
    version: 0,
    resumes: false,
    epoch: null,
    head: null,
    newest: null,
    stream: null,
    healing: null,
    denied: null,
    busy: 0,
  };
  all.set(name, made);
  return made;
}

/** Nobody wants it any more, and the server was told. */
export function forget({ name, epoch }: Topic, { all, epochs }: Topics): void {
  all.delete(name);
  if (epoch !== null) epochs.delete(epoch);
}

/** Somebody can take its messages now. */
export const isWanted = ({ followers, denied }: Topic): boolean => denied === null && [...followers].some(({ full }) => !full);

/** `null`: it may be permitted by now. */
export function setDenied(topic: Topic, error: ClientError | null): void {
  topic.denied = error;
  for (const follower of topic.followers) follower.denied = error;
}

/** The server must be asked for it again, from the positions of its followers. */
export function resume(topic: Topic): void {
  topic.version++;
  topic.resumes = true;
}

/** Start of a subscription that serves all followers. */
export interface Start {
  readonly since: Position | null;
  readonly last: number | null;
}

/** Never later than any follower's position: the newest few are asked for only where nobody has one. */
export function startOf({ followers, epoch }: Topic): Start {
  const open = [...followers].filter(({ full }) => !full);
  const since = earliest(
    open.flatMap(({ received }) => received ?? []),
    epoch,
  );
  return { since, last: since ? null : Math.max(0, ...open.map(({ last }) => last ?? 0)) || null };
}

/** The newest few as a position, where others have the topic already. */
export function startFew(follower: Follower, { epoch, offset }: Position): void {
  const start = offset - BigInt(follower.last ?? 0);
  follower.received = parsePosition(`${epoch}-${start < 0n ? 0n : start}`);
  follower.last = null;
  follower.isFew = true;
}

/** Takes the answer to a subscribe. `by`: the subscriptions that asked. */
export function answered(topic: Topic, reply: Wire, asked: Start, by: object, topics: Topics): void {
  const head = parsePosition(reply['position']);
  if (!head) return;
  const from = parsePosition(reply['from']);
  topics.epochs.delete(topic.epoch ?? '');
  topics.epochs.set(head.epoch, topic);
  topic.epoch = head.epoch;
  topic.resumes = false;
  topic.busy = 0;
  raise(topic, head);
  if (typeof reply['stream'] === 'string') topic.stream = reply['stream'];
  let again = false;
  for (const follower of [...topic.followers]) {
    const { received, form } = follower;
    if (follower.full) continue;
    if (received && asked.since)
      recover(follower, received, reply['recovered'] === true, from ?? head, follower.on !== null && follower.on !== by);
    follower.on = by;
    if (form.isState) follower.last = null;
    if (form.isState || received) continue;
    if (asked.since && follower.last !== null) {
      startFew(follower, head);
      again = true;
      continue;
    }
    follower.last = null;
    follower.received = form.last === null && asked.last !== null ? head : (from ?? head);
  }
  if (again) resume(topic);
}

/** Says whether a follower has everything up to the start of the subscription. `isBack`: after its link was lost. */
function recover(follower: Follower, received: Position, isWhole: boolean, start: Position, isBack: boolean): void {
  if (follower.form.isState) return;
  if (received.epoch === start.epoch && (isWhole || received.offset >= start.offset)) {
    if (isBack) follower.form.onRecovered(received.text);
    return;
  }
  follower.received = start;
  // who asked for the newest few gets as many as there are
  if (!follower.isFew) follower.form.onGap({ since: received.text, from: start.text });
}

/** The outcome of a message: taken as far as it is new, or something before it is missing. */
export type Taken = 'taken' | 'hole' | 'stranger';

/** Hands a message to the followers that lack it. */
export function take(message: Wire, topics: Topics): { readonly topic: Topic | null; readonly taken: Taken } {
  const position = parsePosition(message['position']);
  const name = shapeOf(message);
  const topic = (position && topics.epochs.get(position.epoch)) ?? (name === null ? null : (topics.all.get(name) ?? null));
  if (!topic) return { topic, taken: position ? 'stranger' : 'taken' };
  if (!position) {
    for (const follower of [...topic.followers]) if (follower.form.conflates) follower.take(message, null);
    return { topic, taken: 'taken' };
  }
  if (topic.epoch !== null && position.epoch !== topic.epoch) return { topic, taken: 'stranger' };
  if (topic.newest === null || isNewer(position, topic.newest.position)) topic.newest = { message, position };
  raise(topic, position);
  let taken: Taken = 'taken';
  // a handler may follow the topic again
  for (const follower of [...topic.followers]) {
    const { received } = follower;
    if (received && !isNewer(position, received)) continue;
    if (follower.last !== null) continue;
    if (received && follower.form.whole && position.offset > received.offset + 1n && !follower.full) {
      // the hole was asked for: what follows it comes again
      if (topic.resumes) continue;
      if (topic.healing !== received.text) {
        topic.healing = received.text;
        taken = 'hole';
      }
      if (taken === 'hole') continue;
      follower.form.onGap({ since: received.text, from: null });
    }
    follower.take(message, position);
  }
  return { topic, taken };
}

function raise(topic: Topic, position: Position): void {
  if (topic.head === null || isNewer(position, topic.head)) topic.head = position;
}

const isNewer = (one: Position, other: Position): boolean => one.epoch !== other.epoch || one.offset > other.offset;

/** True if every follower has everything up to the head that the server named. */
export function hasCaughtUp({ followers, newest }: Topic, head: Position): boolean {
  return [...followers].every(({ form, received, full }) => {
    // whether a topic of your own is a state or a log, only its messages show
    if (form.filter !== null || full || head.offset === 0n || (form.conflates && !form.isKnown)) return true;
    const has = form.conflates ? (newest?.position ?? null) : received;
    return has !== null && has.epoch === head.epoch && has.offset >= head.offset;
  });
}

/** Topics as event streams: opened at a position, followed by looking at the topic, ended in good time. */
import { type Address, addressOf, channelAt, numbersIn } from './address.ts';
import type { Channels } from './channels/registry.ts';
import { PushError } from './errors.ts';
import { authenticate, type Identity } from './identity.ts';
import { checkMode } from './mode.ts';
import type { PushMode } from './names.ts';
import type { Clock, LogMessage, Registrations, TopicState, Topics } from './ports.ts';
import { type Position, parsePosition } from './position.ts';
import { COMMENT, formatEvent, formatId, formatRetry } from './protocol/sse.ts';
import { logHead, logMessage, newestOf, readLogAfter } from './round.ts';

/** A committed event is to be seen within a second: looked for this soon after the last, then ever slower. */
const SOONEST_LOOK_MS = 250;
const LATEST_LOOK_MS = 700;
const SLOWER = 1.25;

/** Proxies end what is silent for half a minute. */
const KEEP_ALIVE_MS = 15_000;

/** A stream that ended in time is opened anew at once; an answer that was no stream costs a request each time. */
const RETRY_STREAM_MS = 500;
const RETRY_FINITE_MS = 5_000;

export interface StreamPorts {
  readonly topics: Topics;
  readonly registrations: Registrations;
  readonly channels: Channels;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly mode: PushMode;
}

export interface StreamRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly token: string | null;
  /** The `Last-Event-ID` header of a client that comes back. */
  readonly lastEventId: string | null;
}

/** A stream that may begin. */
export interface Opened {
  readonly address: Address;
  readonly state: TopicState;
  /** Up to which offset the client has everything. */
  readonly from: number;
  /** It begins at its user's registration. */
  readonly registered: boolean;
}

/** Checks a request and finds where its stream begins. Throws what the request is to be answered with. */
export async function openStream(request: StreamRequest, ports: StreamPorts): Promise<Opened> {
  const { topics, registrations, channels, identity, mode } = ports;
  const found = channelAt('stream', request.path, channels);
  if (!found) throw new PushError('NOT_FOUND', `there is nothing at ${request.path.slice(0, 200)}`);
  checkMode('sse', mode);
  const principal = await authenticate(request.token, identity);
  const address = addressOf(found, numbersIn(request.query), principal);
  const state = await topics.create(address.topic);
  if (address.channel.kind === 'state') return { address, state, from: state.head, registered: false };
  const { lastEventId } = request;
  const registered = lastEventId === null ? await registrations.find(address.topic) : null;
  // an id that is none of ours is of another life of the topic: what is still there follows
  const since = lastEventId === null ? registered : (parsePosition(lastEventId) ?? NOWHERE);
  const from = since === null ? await logHead(state, topics) : since.epoch === state.epoch ? since.offset : 0;
  return { address, state, from, registered: registered !== null };
}

const NOWHERE: Position = { epoch: '', offset: 0 };

/** The stream's text, piece by piece, until `untilMs`: then `retry:`, and the end. */
export async function* streamText(opened: Opened, untilMs: number, ports: StreamPorts): AsyncGenerator<string, void> {
  const { topics, clock, registrations } = ports;
  const { address } = opened;
  let { state, from, registered } = opened;
  /** With the first message the client has a position of its own. */
  const tell = async function* (pieces: AsyncIterable<Piece>): AsyncGenerator<string, void> {
    const before = from;
    for await (const { text, upTo } of pieces) {
      yield text;
      from = upTo;
    }
    if (!registered || from === before) return;
    registered = false;
    await registrations.remove(address.topic);
  };
  let lookMs = SOONEST_LOOK_MS;
  let keptAliveMs = clock.now();
  // the head of the answer goes out with its first byte
  yield formatRetry(RETRY_STREAM_MS);
  yield* tell(firstOf(opened, ports));
  while (clock.now() < untilMs) {
    await clock.sleep(Math.max(0, Math.min(lookMs, untilMs - clock.now())));
    const before = state;
    state = (await topics.read([address.topic])).get(address.topic) ?? state;
    // another epoch is another life of the topic: nothing of it was told
    if (state.epoch !== before.epoch) from = 0;
    const news = state.head > from;
    if (news) yield* tell(newsOf(address, state, from, ports));
    lookMs = news ? SOONEST_LOOK_MS : Math.min(lookMs * SLOWER, LATEST_LOOK_MS);
    if (clock.now() - keptAliveMs < KEEP_ALIVE_MS) continue;
    keptAliveMs = clock.now();
    yield keepAlive(address, state, clock.now());
  }
  yield formatRetry(RETRY_STREAM_MS);
}

/** What a client gets where no stream is possible: what it lacks, and when to ask again. */
export async function finiteText(opened: Opened, ports: StreamPorts): Promise<string> {
  const pieces: Piece[] = [];
  for await (const piece of firstOf(opened, ports)) pieces.push(piece);
  const told = pieces.some(({ upTo }) => upTo > opened.from);
  if (opened.registered && told) await ports.registrations.remove(opened.address.topic);
  return pieces.map(({ text }) => text).join('') + formatRetry(RETRY_FINITE_MS);
}

interface Piece {
  readonly text: string;
  readonly upTo: number;
}

/** A state topic begins with its state, known or not; a log with what was missed. */
async function* firstOf(opened: Opened, ports: StreamPorts): AsyncGenerator<Piece, void> {
  const { address, state, from } = opened;
  const { channel, http, ids } = address;
  if (channel.kind === 'state') {
    const { data, position } = stateOf(address, state, ports.clock.now()) ?? {
      data: http.unknown(ids, ports.clock.now()),
      position: { epoch: state.epoch, offset: 0 },
    };
    return yield { text: formatEvent('INIT', data, position), upTo: state.head };
  }
  // an id by itself is no event, but an EventSource that was told nothing yet comes back with it
  yield { text: formatId({ epoch: state.epoch, offset: from }), upTo: from };
  yield* newsOf(address, state, from, ports);
}

/** What came after `from`. */
async function* newsOf(address: Address, state: TopicState, from: number, { topics, clock }: StreamPorts): AsyncGenerator<Piece, void> {
  const { channel, http } = address;
  if (channel.kind === 'state') {
    const newest = newestOf(state, channel, clock.now());
    if (!newest) return;
    const { name, data } = http.event(newest.payload);
    return yield { text: formatEvent(name, data, newest.position), upTo: state.head };
  }
  for (let last = from; ; ) {
    const { messages, full } = await readLogAfter(state, last, topics);
    for (const message of messages) yield pieceOf(address, state, message, clock.now());
    last = messages.at(-1)?.offset ?? last;
    if (!full) return;
  }
}

function pieceOf({ channel, http }: Address, state: TopicState, stored: LogMessage, nowMs: number): Piece {
  const message = logMessage(state, channel, stored, nowMs);
  if (!message) return { text: '', upTo: stored.offset };
  const { name, data } = http.event(message.payload);
  return { text: formatEvent(name, data, message.position), upTo: stored.offset };
}

/** The data of the newest message, and its position; `null` where nothing is known. */
function stateOf({ channel, http }: Address, state: TopicState, nowMs: number): { data: object; position: Position } | null {
  const newest = newestOf(state, channel, nowMs);
  return newest && { data: http.event(newest.payload).data, position: newest.position };
}

function keepAlive(address: Address, state: TopicState, nowMs: number): string {
  const { channel, http, ids } = address;
  if (channel.kind === 'log') return COMMENT;
  const again = newestOf(state, channel, nowMs, true);
  if (!again) return formatEvent('KEEPALIVE', http.unknown(ids, nowMs), null);
  const { name, data } = http.event(again.payload);
  return formatEvent(name, data, null);
}

/**
 * A topic as an event stream. Its phases: open it at a position; send what comes first; look at the topic again and again,
 * more slowly while it is quiet; end in good time, because nothing tells a function that its client has left.
 */
import * as v from 'valibot';
import { formatPosition, type Position, parsePosition } from '../base/position.ts';
import { explain, optional } from '../base/validation.ts';
import { type Address, addressOf, channelAt } from '../channels/address.ts';
import type { Kind } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { checkMode } from '../channels/transports.ts';
import { replayStart } from '../delivery/replay-start.ts';
import { PushError } from '../errors.ts';
import { authenticate, type Identity, type Principal, type TicketUse } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Ports } from '../ports/ports.ts';
import type { Registered } from '../ports/registrations.ts';
import type { TopicState } from '../ports/topics.ts';
import { COMMENT, formatEvent } from '../protocol/sse.ts';
import { logPieces } from './log-pieces.ts';
import { type Piece, type Pieces, statePieces } from './state-pieces.ts';

/** A committed event must arrive within a second: the next look comes this soon after news, then ever later, in ms. */
const SOONEST_LOOK_MS = 250;
const LATEST_LOOK_MS = 700;
const SLOWER = 1.25;

/** Interval of the check that the caller may stay, in ms: a disconnected user's streams must end within 2 s. */
const STAY_LOOK_MS = 1_000;

/** Proxies end a stream that is silent for half a minute. */
const KEEP_ALIVE_MS = 15_000;

/** A stream that ended in good time is reopened at once; a finite answer costs a request each time. */
const RETRY_STREAM_MS = 500;
const RETRY_FINITE_MS = 5_000;

/** A function answers 6 MB at most; what does not fit is for the next request. */
const MAX_FINITE_LENGTH = 1_000_000;

/** How the client wants its messages: one answer, or a stream; as its channel's events, or as JSON clients get them. */
const FORM = v.object({ once: optional(v.picklist(['0', '1'])), format: optional(v.picklist(['json', 'events'])) });

/** A client that was cut off is expected back within this time. */
const BACK_MS = 30_000;

/** The keepers of a client's position: its registration, and the place of its stream before. */
type Keeper = 'registrations' | 'places';
const KEEPERS: readonly Keeper[] = ['registrations', 'places'];

/** The positions that were kept for a client without one. */
type Kept = { readonly [keeper in Keeper]: Registered | null };

export interface StreamPorts extends Pick<Ports, 'topics' | Keeper | 'clock' | 'newId'> {
  readonly channels: Channels;
  readonly identity: Identity;
  readonly mode: PushMode;
}

export interface StreamRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly token: string | null;
  /** The `Last-Event-ID` header of a returning client. */
  readonly lastEventId: string | null;
}

/** A stream that may begin. */
export interface Opened {
  readonly address: Address;
  readonly state: TopicState;
  /** Up to which offset the client has everything. */
  readonly from: number;
  readonly principal: Principal;
  /** Its first pieces use it up. */
  readonly kept: Kept;
  /** The client has no position to come back with until it gets its first event: until then one is kept for it. */
  readonly keepsPlace: boolean;
  /** True if nothing is missing since the client's position; `null` if it gave none. */
  readonly recovered: boolean | null;
  /** One answer is wanted, and no stream. */
  readonly once: boolean;
  /** Messages as JSON clients get them. */
  readonly json: boolean;
}

const PIECES: Readonly<Record<Kind, Pieces>> = { state: statePieces, log: logPieces };

/** Checks a request and finds where its stream starts. Throws the PushError that answers the request. */
export async function openStream(request: StreamRequest, ports: StreamPorts): Promise<Opened> {
  const { topics, channels, identity, mode } = ports;
  channelAt('stream', request.path, channels);
  // a HEAD would use up what a GET delivers
  if (request.method !== 'GET') throw new PushError('METHOD_NOT_ALLOWED', `an event stream is asked for by GET, not ${request.method}`);
  const parsed = v.safeParse(FORM, request.query);
  if (!parsed.success) throw explain(parsed.issues, 'query', {});
  checkMode('sse', mode, channels);
  const principal = await authenticate(request.token, identity, ticketUse(request));
  const address = addressOf('stream', request.path, { query: request.query }, principal, channels);
  const state = await topics.create(address.topic);
  const { once, format } = parsed.output;
  return {
    principal,
    once: once === '1',
    json: format === 'json',
    ...(await OPENS[address.channel.kind](address, state, request.lastEventId, ports)),
  };
}

/** The ticket in a stream's address, which stays the same when the stream is opened again. */
function ticketUse({ path, query }: StreamRequest): TicketUse | null {
  const { ticket, lastEventId: _, ...own } = query;
  if (ticket === undefined) return null;
  const pairs = Object.entries(own).map(([name, value = '']) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return { ticket, path, url: `${path}?${pairs.sort().join('&')}` };
}

type Start = Omit<Opened, 'principal' | 'once' | 'json'>;
type Open = (address: Address, state: TopicState, lastEventId: string | null, ports: StreamPorts) => Promise<Start>;

const OPENS: Readonly<Record<Kind, Open>> = {
  state: async (address, state, lastEventId) => {
    const since = lastEventId === null ? null : parsePosition(lastEventId);
    const recovered = lastEventId === null ? null : since?.epoch === state.epoch && since.offset === state.head;
    return { address, state, from: state.head, kept: NOTHING, keepsPlace: false, recovered };
  },
  log: openLog,
};

const NOTHING: Kept = { registrations: null, places: null };

/** An id that cannot be read resumes at the start of the history. */
const NOWHERE: Position = { epoch: '', offset: 0 };

async function openLog(address: Address, state: TopicState, lastEventId: string | null, ports: StreamPorts): Promise<Start> {
  const { topic, channel } = address;
  const [registrations, places] = await Promise.all([ports.registrations.find(topic), ports.places.find(topic)]);
  const kept = { registrations, places };
  if (lastEventId === null) {
    const { start } = await replayStart(earliest(kept, state), state, channel.history, ports);
    return { address, state, from: start, kept, keepsPlace: true, recovered: null };
  }
  const since = parsePosition(lastEventId) ?? NOWHERE;
  // an id after a kept position proves that something was delivered
  await useUp(topic, kept, ({ epoch, offset }) => since.epoch === epoch && since.offset > offset, ports);
  const { start, whole } = await replayStart(since, state, channel.history, ports);
  return { address, state, from: start, kept: NOTHING, keepsPlace: false, recovered: whole };
}

/** The kept position with the most after it: one of another epoch has everything. */
function earliest(kept: Kept, { epoch }: TopicState): Position | null {
  const offsetOf = (position: Position): number => (position.epoch === epoch ? position.offset : -1);
  const positions = KEEPERS.flatMap((keeper) => kept[keeper]?.position ?? []);
  return positions.sort((one, other) => offsetOf(one) - offsetOf(other))[0] ?? null;
}

async function useUp(topic: string, kept: Kept, isUsed: (position: Position) => boolean, ports: StreamPorts): Promise<void> {
  for (const keeper of KEEPERS) {
    const found = kept[keeper];
    if (found && isUsed(found.position)) await ports[keeper].useUp(topic, found.stamp);
  }
}

/** The stream's text, piece by piece, until `untilMs`, or until its user was disconnected. */
export async function* streamText(opened: Opened, untilMs: number, ports: StreamPorts): AsyncGenerator<string, void> {
  const { topics, clock, identity } = ports;
  const { address, principal, json } = opened;
  const stream = { address, retryMs: RETRY_STREAM_MS, json };
  const pieces = PIECES[address.channel.kind];
  let { state, from } = opened;
  const send = async function* (some: AsyncIterable<Piece>): AsyncGenerator<string, void> {
    for await (const { text, upTo } of some) {
      yield text;
      from = upTo;
    }
  };
  let lookMs = SOONEST_LOOK_MS;
  let keptAliveMs = clock.now();
  let stayAskedMs = clock.now();
  await keepPlace(opened, untilMs + BACK_MS, ports);
  // the head of the response goes out with its first byte
  yield COMMENT;
  // a client without a position has one from here on, before its first message
  if (json && address.channel.kind === 'log') yield formatEvent('POSITION', null, { epoch: state.epoch, offset: from }, RETRY_STREAM_MS);
  yield* send(pieces.first(stream, state, from, ports));
  await useUpFirst(opened, from, ports);
  while (clock.now() < untilMs) {
    await clock.sleep(Math.max(0, Math.min(lookMs, untilMs - clock.now())));
    if (identity.required && clock.now() - stayAskedMs >= STAY_LOOK_MS) {
      if (!(await identity.mayStay(principal))) return;
      stayAskedMs = clock.now();
    }
    const before = state;
    state = (await topics.read([address.topic])).get(address.topic) ?? state;
    // a new epoch: the topic was made anew, and nothing of it was delivered
    if (state.epoch !== before.epoch) from = 0;
    const news = state.head > from;
    if (news) yield* send(pieces.news(stream, state, from, ports));
    lookMs = news ? SOONEST_LOOK_MS : Math.min(lookMs * SLOWER, LATEST_LOOK_MS);
    if (clock.now() - keptAliveMs < KEEP_ALIVE_MS) continue;
    keptAliveMs = clock.now();
    yield pieces.keepAlive(stream, state, ports);
  }
}

/** The answer if no stream is possible or wanted: what the client lacks, and when to ask again. One answer as JSON is an object. */
export async function finiteAnswer(opened: Opened, ports: StreamPorts): Promise<string | object> {
  const { address, state, from, json, once, recovered } = opened;
  await keepPlace(opened, ports.clock.now() + BACK_MS, ports);
  let upTo = from;
  // one comment line, if nothing follows it
  let text = COMMENT;
  let more = false;
  const messages: object[] = [];
  for await (const piece of PIECES[address.channel.kind].first({ address, retryMs: RETRY_FINITE_MS, json }, state, from, ports)) {
    more = text.length + piece.text.length > MAX_FINITE_LENGTH;
    if (more) break;
    text += piece.text;
    if (piece.message) messages.push(piece.message);
    upTo = Math.max(upTo, piece.upTo);
  }
  await useUpFirst(opened, upTo, ports);
  if (!json || !once) return text;
  return { messages, position: formatPosition(state.epoch, upTo), ...(recovered === null ? {} : { recovered }), ...(more ? { more } : {}) };
}

/** Only the first pieces use up what was kept: their client has surely just asked. Later it may have left. */
async function useUpFirst({ address, from, kept }: Opened, upTo: number, ports: StreamPorts): Promise<void> {
  await useUp(address.topic, kept, () => upTo > from, ports);
}

/** Keeps the position of a stream that may be cut before its first event. */
async function keepPlace({ address, state, from, kept, keepsPlace }: Opened, untilMs: number, ports: StreamPorts): Promise<void> {
  if (!keepsPlace) return;
  const place = { position: { epoch: state.epoch, offset: from }, stamp: kept.places?.stamp ?? ports.newId() };
  await ports.places.register(address.topic, place, untilMs);
}

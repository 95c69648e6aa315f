/** Topics as event streams: opened at a position, followed by looking at the topic, ended in good time. */

import { type Position, parsePosition } from '../base/position.ts';
import { type Address, addressOf, channelAt, numbersIn } from '../channels/address.ts';
import type { Channels } from '../channels/channels.ts';
import { checkMode } from '../channels/transports.ts';
import { logMessage, newestOf, readLogAfter } from '../delivery/backlog.ts';
import { startOf } from '../delivery/replay-start.ts';
import { PushError } from '../errors.ts';
import { authenticate, type Identity } from '../identity.ts';
import type { PushMode } from '../names.ts';
import type { Clock, Registration, Registrations, TopicState, Topics } from '../ports.ts';
import type { Outgoing } from '../protocol/encode.ts';
import { COMMENT, formatEvent, formatId, formatRetry } from '../protocol/sse.ts';

/** A committed event is to be seen within a second: looked for this soon after the last, then ever slower. */
const SOONEST_LOOK_MS = 250;
const LATEST_LOOK_MS = 700;
const SLOWER = 1.25;

/** Proxies end what is silent for half a minute. */
const KEEP_ALIVE_MS = 15_000;

/** A stream that ended in time is opened anew at once; an answer that was no stream costs a request each time. */
const RETRY_STREAM_MS = 500;
const RETRY_FINITE_MS = 5_000;

/** For so long a client is expected back that was told nothing. */
const MARK_MS = 30_000;

export interface StreamPorts {
  readonly topics: Topics;
  readonly registrations: Registrations;
  readonly channels: Channels;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly mode: PushMode;
}

export interface StreamRequest {
  readonly method: string;
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
  /** The registration that it begins at. */
  readonly registration: Registration | null;
  /** The client knows a position, or needs none. */
  readonly comesBack: boolean;
}

/** Checks a request and finds where its stream begins. Throws what the request is to be answered with. */
export async function openStream(request: StreamRequest, ports: StreamPorts): Promise<Opened> {
  const { topics, registrations, channels, identity, mode } = ports;
  const found = channelAt('stream', request.path, channels);
  if (!found) throw new PushError('NOT_FOUND', `there is nothing at ${request.path.slice(0, 200)}`);
  // what a HEAD would bring is used up, and nobody would have it
  if (request.method !== 'GET') throw new PushError('METHOD_NOT_ALLOWED', `an event stream is asked for by GET, not ${request.method}`);
  checkMode('sse', mode, channels);
  const principal = await authenticate(request.token, identity);
  const address = addressOf(found, numbersIn(request.query), principal);
  const state = await topics.create(address.topic);
  if (address.channel.kind === 'state') return { address, state, from: state.head, registration: null, comesBack: true };
  const { lastEventId } = request;
  const registration = await registrations.find(address.topic);
  if (lastEventId === null) {
    const { start } = await startOf(registration?.position ?? null, state, address.channel.history, ports);
    return { address, state, from: start, registration, comesBack: false };
  }
  // an id that is none of ours is of another life of the topic: what is still there follows
  const since = parsePosition(lastEventId) ?? NOWHERE;
  // it has what came after the registration: that is the proof that something was delivered
  const has = registration && since.epoch === registration.position.epoch && since.offset > registration.position.offset;
  if (has) await registrations.useUp(address.topic, registration.stamp);
  const { start } = await startOf(since, state, address.channel.history, ports);
  return { address, state, from: start, registration: null, comesBack: true };
}

const NOWHERE: Position = { epoch: '', offset: 0 };

/** The stream's text, piece by piece, until `untilMs`: then `retry:`, and the end. */
export async function* streamText(opened: Opened, untilMs: number, ports: StreamPorts): AsyncGenerator<string, void> {
  const { topics, clock } = ports;
  const { address } = opened;
  let { state, from } = opened;
  const tell = async function* (pieces: AsyncIterable<Piece>): AsyncGenerator<string, void> {
    for await (const { text, upTo } of pieces) {
      yield text;
      from = upTo;
    }
  };
  let lookMs = SOONEST_LOOK_MS;
  let keptAliveMs = clock.now();
  // the head of the answer goes out with its first byte
  yield formatRetry(RETRY_STREAM_MS);
  yield* tell(firstOf(opened, ports));
  await useUp(opened, from, ports);
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
  await leaveMark(opened, state, from, ports);
}

/** What was missed has been told to a client that called only just now. Of later messages nobody knows: it may have left. */
async function useUp({ address, from, registration }: Opened, upTo: number, { registrations }: StreamPorts): Promise<void> {
  if (registration && upTo > from) await registrations.useUp(address.topic, registration.stamp);
}

/** A client that was told nothing has no position to come back with, unless it keeps an id that came by itself: it is expected where it left. */
async function leaveMark({ address, from, comesBack }: Opened, state: TopicState, upTo: number, ports: StreamPorts): Promise<void> {
  if (comesBack || upTo > from) return;
  const mark = { position: { epoch: state.epoch, offset: upTo }, stamp: ports.newId() };
  await ports.registrations.register(address.topic, mark, ports.clock.now() + MARK_MS);
}

/** What a client gets where no stream is possible: what it lacks, and when to ask again. */
export async function finiteText(opened: Opened, ports: StreamPorts): Promise<string> {
  const pieces: Piece[] = [];
  for await (const piece of firstOf(opened, ports)) pieces.push(piece);
  await useUp(opened, Math.max(opened.from, ...pieces.map(({ upTo }) => upTo)), ports);
  return pieces.map(({ text }) => text).join('') + formatRetry(RETRY_FINITE_MS);
}

interface Piece {
  readonly text: string;
  readonly upTo: number;
}

/** A state topic begins with its state, known or not; a log with what was missed. */
async function* firstOf(opened: Opened, ports: StreamPorts): AsyncGenerator<Piece, void> {
  const { address, state, from } = opened;
  const { channel } = address;
  if (channel.kind === 'state') {
    const { data, position } = stateOf(address, state, ports.clock.now()) ?? {
      data: unknownOf(address, ports.clock.now()),
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
  const { channel } = address;
  if (channel.kind === 'state') {
    const newest = newestOf(state, channel, clock.now());
    return newest ? yield { text: eventText(address, newest), upTo: state.head } : undefined;
  }
  for (let last = from; ; ) {
    const { messages, full } = await readLogAfter(state, last, topics);
    for (const stored of messages) {
      const message = logMessage(state, channel, stored, clock.now());
      yield { text: message ? eventText(address, message) : '', upTo: stored.offset };
    }
    last = messages.at(-1)?.offset ?? last;
    if (!full) return;
  }
}

/** A message as an event; one told again has no id of its own. */
function eventText({ http }: Address, { payload, position, retoldAtMs }: Outgoing): string {
  const { name, data } = http.event(payload);
  return formatEvent(name, data, retoldAtMs === null ? position : null);
}

/** The data of the newest message, and its position; `null` where nothing is known. */
function stateOf({ channel, http }: Address, state: TopicState, nowMs: number): { data: object; position: Position } | null {
  const newest = newestOf(state, channel, nowMs);
  return newest && { data: http.event(newest.payload).data, position: newest.position };
}

const unknownOf = ({ http, ids }: Address, nowMs: number): object => http.unknown?.(ids, nowMs) ?? {};

function keepAlive(address: Address, state: TopicState, nowMs: number): string {
  const { channel } = address;
  if (channel.kind === 'log') return COMMENT;
  const again = newestOf(state, channel, nowMs, true);
  return again ? eventText(address, again) : formatEvent('KEEPALIVE', unknownOf(address, nowMs), null);
}

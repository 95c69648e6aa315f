/**
 * Serves one message of a client. Its phases: parse it, as far as its dialect is known; touch the connection's record, with
 * the one write that every message costs; greet a JSON client if need be; check the limits; serve it by its session.
 */
import { cut } from '../base/text.ts';
import { closeWithError } from '../connections/close-with-error.ts';
import { awaitGreeting, greet } from '../connections/greeting.ts';
import { reply } from '../connections/reply.ts';
import { PushError, publicError } from '../errors.ts';
import { METRIC } from '../names.ts';
import type { Allowance, Connection, Touch, TouchRequest } from '../ports/connections.ts';
import type { Gateway } from '../ports/gateway.ts';
import type { Report } from '../ports/report.ts';
import { encodeError, stompVersion } from '../protocol/encode.ts';
import { type Command, parseCommand, WITH_DATA } from '../protocol/json.ts';
import { type StompShape, stompShape } from '../protocol/stomp.ts';
import { FrameError } from './frame-error.ts';
import { serveJson } from './json-session.ts';
import type { ClientText, MessagePorts } from './session.ts';
import { serveStomp } from './stomp-session.ts';

/** `docs/protocol.md`, "Errors and limits": messages that have no pace of their own. */
const MAX_MESSAGES_PER_SECOND = 100;

/** Topics that a connection may name, beyond one a message: as many at once as it can have subscriptions, twice, then at this rate. */
const TOPICS: Allowance = { most: 1_000, perSecond: 100 };

/**
 * Never throws: a failing handler would make the gateway send JSON of its own. The client gets the failure in its dialect,
 * as far as it may know of it.
 */
export async function handleMessage(given: ClientText, made: MessagePorts): Promise<void> {
  // some editors and languages begin a text with a byte order mark
  const message = given.text.startsWith('\ufeff') ? { ...given, text: given.text.slice(1) } : given;
  const { report, clock } = made;
  const ports = { ...made, gateway: counting(made.gateway, report) };
  report.count(METRIC.messagesIn);
  // until the record is read, only the text shows the client's dialect
  const seen: Seen = { stomp: stompShape(message.text), connection: null, afterJson: false };
  try {
    await serve(message, seen, ports);
  } catch (error) {
    await refuse(error, message, seen, ports).catch((failure: unknown) => {
      report.error('an error could not be sent', failure, { connectionId: message.connectionId });
    });
  } finally {
    report.time(METRIC.answerTime, clock.now() - message.receivedAtMs);
  }
}

/** Counts the posts made while a message is served. */
const counting = (gateway: Gateway, report: Report): Gateway => ({
  ...gateway,
  async post(connectionId, frame, before) {
    const result = await gateway.post(connectionId, frame, before);
    if (result === 'sent') report.count(METRIC.messagesOut);
    return result;
  },
});

/** The facts about the client that are known so far. */
interface Seen {
  /** The text's shape, if it can only be STOMP. */
  readonly stomp: StompShape | null;
  connection: Connection | null;
  /** A STOMP client that may have been greeted in JSON. */
  afterJson: boolean;
}

async function serve(message: ClientText, seen: Seen, ports: MessagePorts): Promise<void> {
  const { connectionId, receivedAtMs, text } = message;
  const parse = () => attempt(() => parseCommand(text, ports.messages));
  const parsed = seen.stomp ? null : parse();
  const load = loadOf(seen.stomp, parsed, ports);
  const touch = await ports.connections.touch(connectionId, { atMs: receivedAtMs, nowMs: ports.clock.now(), ...load });
  // a socket without a record would look alive and never get anything: its client should connect again
  if (!touch) return ports.gateway.close(connectionId);
  // it was told why
  if (touch.connection.refusedAtMs > 0) return;
  // an old STOMP client names no subprotocol; only its frames show it, and they may have overtaken its CONNECT
  seen.afterJson = touch.connection.dialect === 'json' && seen.stomp?.isFrame === true;
  const connection: Connection = seen.afterJson ? { ...touch.connection, dialect: 'stomp-1.2', admitted: false } : touch.connection;
  seen.connection = connection;
  if (connection.dialect !== 'json') {
    // a greeting that is on its way would fall into the middle of a later frame
    if (seen.afterJson && !touch.greet) await awaitGreeting(connection, ports);
    checkRate(touch, ports);
    return serveStomp(message, { ...touch, connection }, seen.afterJson, ports);
  }
  if (touch.greet) await greet(connection, ports);
  else await awaitGreeting(connection, ports);
  checkRate(touch, ports);
  const command = parsed ?? parse();
  if (command instanceof PushError) throw command;
  await checkTopics(command, connectionId, ports);
  await serveJson(command, touch, receivedAtMs, ports);
}

/** A message's share of the limits. */
function loadOf(
  stomp: StompShape | null,
  parsed: Command | PushError | null,
  { pacePerSecond }: MessagePorts,
): Pick<TouchRequest, 'pong' | 'subscribes' | 'weight' | 'pace'> {
  const plain = { pong: false, subscribes: 0, weight: 1, pace: null };
  if (stomp) return { ...plain, subscribes: stomp.subscribes, weight: stomp.frames };
  if (parsed === null || parsed instanceof PushError) return plain;
  switch (parsed.type) {
    case 'pong':
      return { ...plain, pong: true };
    case 'subscribe':
      return { ...plain, subscribes: parsed.topics.length };
    case 'unsubscribe':
    case 'refresh':
      return plain;
    case 'system':
      return { ...plain, subscribes: parsed.handler.topics?.(parsed.message).length ?? 0, pace: pacePerSecond };
  }
}

function checkRate({ inThisSecond, tooFast }: Touch, { pacePerSecond }: MessagePorts): void {
  if (!tooFast && inThisSecond <= MAX_MESSAGES_PER_SECOND) return;
  const limit = tooFast ? pacePerSecond : MAX_MESSAGES_PER_SECOND;
  throw new PushError('RATE_LIMIT_EXCEEDED', `more than ${limit} messages a second; this one was not served`, { limit_per_second: limit });
}

/** A message is cheap to send, but each topic it names costs several requests. */
async function checkTopics(command: Command, connectionId: string, { connections, clock }: MessagePorts): Promise<void> {
  const topics = command.type === 'subscribe' || command.type === 'unsubscribe' ? command.topics : [];
  if (topics.length <= 1 || (await connections.spend(connectionId, topics.length, clock.now(), TOPICS))) return;
  throw new PushError('RATE_LIMIT_EXCEEDED', `more than ${TOPICS.perSecond} topics a second; none of this message was served`, {
    limit_per_second: TOPICS.perSecond,
  });
}

/** Sends a failure to the client. In STOMP that ends the connection. */
async function refuse(error: unknown, { connectionId, requestId, text }: ClientText, seen: Seen, ports: MessagePorts): Promise<void> {
  const { report, clock } = ports;
  const assumed = seen.connection?.dialect ?? (seen.stomp ? 'stomp-1.2' : 'json');
  const { failure, receipt, dialect } = error instanceof FrameError ? error : { failure: error, receipt: null, dialect: assumed };
  const reason = publicError(failure, requestId);
  report.count(METRIC.errors);
  if (reason !== failure) report.error('a client message failed', failure, { connectionId, requestId });
  if (stompVersion(dialect) === null) await reply(connectionId, encodeError(quoting(reason, text), dialect, clock.now()), ports);
  else await closeWithError({ connectionId, dialect }, reason, ports, { receipt, afterJson: seen.afterJson });
}

/** The error about a wrong message quotes its beginning, and the fields that every message needs unless it names others. */
function quoting(error: PushError, text: string): PushError {
  const received_message = cut(text, 200);
  if (error.code === 'UNKNOWN_MESSAGE_TYPE') return new PushError(error.code, error.message, { ...error.details, received_message });
  if (error.code !== 'INVALID_MESSAGE_FORMAT') return error;
  return new PushError(error.code, error.message, { expected_fields: WITH_DATA, ...error.details, received_message });
}

function attempt<Value>(work: () => Value): Value | PushError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PushError) return error;
    throw error;
  }
}

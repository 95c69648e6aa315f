import { dismiss } from '../connections/close-with-error.ts';
import { awaitGreeting, greet } from '../connections/connect.ts';
import { answer } from '../connections/reply.ts';
import { PushError, tellable } from '../errors.ts';
import { METRIC } from '../names.ts';
import type { Connection, Gateway, Report, Touch, TouchRequest } from '../ports.ts';
import { encodeError, stompVersion } from '../protocol/encode.ts';
import { type Command, parseCommand } from '../protocol/json.ts';
import { countFrames, countSubscribes, isStompFrame, looksLikeStomp } from '../protocol/stomp.ts';
import { FrameError } from './frame-error.ts';
import { serveJson } from './json-session.ts';
import type { ClientMessage, MessagePorts } from './session.ts';
import { serveStomp } from './stomp-session.ts';

/** `docs/protocol.md`, "Errors and limits": messages that have no pace of their own. */
const MAX_MESSAGES_PER_SECOND = 100;

/**
 * Serves one message of a client. Never throws: a failing handler would make the gateway send JSON of its own. What
 * went wrong is told to the client in its dialect, as far as it concerns it.
 */
export async function handleMessage(message: ClientMessage, given: MessagePorts): Promise<void> {
  const { report, clock } = given;
  const ports = { ...given, gateway: counting(given.gateway, report) };
  report.count(METRIC.messagesIn);
  // until its record was read, the text tells what a client speaks
  const seen: Seen = { stomp: looksLikeStomp(message.text), connection: null };
  try {
    await serve(message, seen, ports);
  } catch (error) {
    await refuse(error, message, seen, ports).catch((failure: unknown) => {
      report.error('an error could not be told', failure, { connectionId: message.connectionId });
    });
  } finally {
    report.time(METRIC.answerTime, clock.now() - message.receivedAtMs);
  }
}

/** What is told while a message is served counts as told. */
const counting = (gateway: Gateway, report: Report): Gateway => ({
  ...gateway,
  async post(connectionId, frame, before) {
    const result = await gateway.post(connectionId, frame, before);
    if (result === 'sent') report.count(METRIC.messagesOut);
    return result;
  },
});

/** What is known of the speaker so far. */
interface Seen {
  readonly stomp: boolean;
  connection: Connection | null;
}

async function serve(message: ClientMessage, seen: Seen, ports: MessagePorts): Promise<void> {
  const { connectionId, receivedAtMs, text } = message;
  const parsed = seen.stomp ? null : attempt(() => parseCommand(text));
  const load = loadOf(text, parsed, ports);
  const touch = await ports.connections.touch(connectionId, { atMs: receivedAtMs, nowMs: ports.clock.now(), ...load });
  // a socket without record would look alive and never be told anything: it is better off connecting again
  if (!touch) return ports.gateway.close(connectionId);
  // an old STOMP client names no subprotocol: its frames tell, and may have overtaken its CONNECT
  const opens = touch.connection.dialect === 'json' && isStompFrame(text);
  const connection: Connection = opens ? { ...touch.connection, dialect: 'stomp-1.2', admitted: false } : touch.connection;
  seen.connection = connection;
  if (connection.dialect !== 'json') {
    checkRate(touch, ports);
    return serveStomp(message, { ...touch, connection }, ports);
  }
  if (touch.greet) await greet(connection, ports);
  else await awaitGreeting(connection, ports.clock);
  checkRate(touch, ports);
  const command = parsed ?? attempt(() => parseCommand(text));
  if (command instanceof PushError) throw command;
  await serveJson(command, touch, receivedAtMs, ports);
}

/** What a message counts for. */
function loadOf(
  text: string,
  parsed: Command | PushError | null,
  { pacePerSecond }: MessagePorts,
): Pick<TouchRequest, 'pong' | 'subscribes' | 'weight' | 'pace'> {
  const plain = { pong: false, subscribes: 0, weight: 1, pace: null };
  if (parsed === null) return { ...plain, subscribes: countSubscribes(text), weight: countFrames(text) };
  if (parsed instanceof PushError) return plain;
  switch (parsed.type) {
    case 'pong':
      return { ...plain, pong: true };
    case 'subscribe':
      return { ...plain, subscribes: parsed.topics.length, pace: parsed.chooses ? pacePerSecond : null };
    case 'unsubscribe':
      return { ...plain, pace: parsed.chooses ? pacePerSecond : null };
    case 'client_info':
    case 'ping':
    case 'service_control':
    case 'send_webhook':
      return { ...plain, pace: pacePerSecond };
  }
}

function checkRate({ inThisSecond, tooFast }: Touch, { pacePerSecond }: MessagePorts): void {
  if (!tooFast && inThisSecond <= MAX_MESSAGES_PER_SECOND) return;
  const limit = tooFast ? pacePerSecond : MAX_MESSAGES_PER_SECOND;
  throw new PushError('RATE_LIMIT_EXCEEDED', `more than ${limit} messages a second; this one was not served`, { limit_per_second: limit });
}

/** Tells a client what failed. In STOMP that ends the connection. */
async function refuse(error: unknown, { connectionId, requestId, text }: ClientMessage, seen: Seen, ports: MessagePorts): Promise<void> {
  const { report, clock } = ports;
  const spoken = seen.connection?.dialect ?? (seen.stomp ? 'stomp-1.2' : 'json');
  const { failure, receipt, dialect } = error instanceof FrameError ? error : { failure: error, receipt: null, dialect: spoken };
  const told = tellable(failure, requestId);
  report.count(METRIC.errors);
  if (told !== failure) report.error('a client message failed', failure, { connectionId, requestId });
  if (stompVersion(dialect) === null) await answer(connectionId, encodeError(quoting(told, text), dialect, clock.now()), ports);
  else await dismiss({ connectionId, dialect }, told, ports, receipt);
}

/** What is wrong with a message is told with its beginning; and with what every message has, where nothing more was expected. */
function quoting(error: PushError, text: string): PushError {
  const received_message = text.slice(0, 200);
  if (error.code === 'UNKNOWN_MESSAGE_TYPE') return new PushError(error.code, error.message, { ...error.details, received_message });
  if (error.code !== 'INVALID_MESSAGE_FORMAT') return error;
  return new PushError(error.code, error.message, { expected_fields: ['type'], ...error.details, received_message });
}

function attempt<Value>(work: () => Value): Value | PushError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PushError) return error;
    throw error;
  }
}

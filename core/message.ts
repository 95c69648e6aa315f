import type { Channels } from './channels/registry.ts';
import { awaitGreeting, greet } from './connect.ts';
import { PushError, tellable } from './errors.ts';
import { METRIC } from './names.ts';
import type { Report, Touch } from './ports.ts';
import { type Command, formatError, formatUnsubscribed, parseCommand } from './protocol/json.ts';
import { type SubscribePorts, subscribe, unsubscribe, type Wish } from './subscribe.ts';

/** `docs/protocol.md`, "Errors and limits". */
const MAX_MESSAGES_PER_SECOND = 100;

export interface MessagePorts extends SubscribePorts {
  readonly report: Report;
  readonly maxSubscriptions: number;
}

export interface ClientMessage {
  readonly connectionId: string;
  readonly text: string;
  /** When the gateway took it: the later of two requests wins, whatever order they are served in. */
  readonly receivedAtMs: number;
  readonly requestId: string;
}

/**
 * Serves one message of a client. Never throws: a failing handler would make the gateway send JSON of its own. What
 * went wrong is told to the client in its dialect, as far as it concerns it.
 */
export async function handleMessage(message: ClientMessage, ports: MessagePorts): Promise<void> {
  const { report, clock, gateway } = ports;
  report.count(METRIC.messagesIn);
  try {
    await serve(message, ports);
  } catch (error) {
    const told = tellable(error, message.requestId);
    report.count(METRIC.errors);
    if (told !== error) report.error('a client message failed', error, { connectionId: message.connectionId });
    await gateway.post(message.connectionId, formatError(told, clock.now())).catch((failure: unknown) => {
      report.error('an error could not be told', failure, { connectionId: message.connectionId });
    });
  } finally {
    report.time(METRIC.answerTime, clock.now() - message.receivedAtMs);
  }
}

async function serve(message: ClientMessage, ports: MessagePorts): Promise<void> {
  const { connectionId, receivedAtMs } = message;
  const parsed = attempt(() => parseCommand(message.text));
  const command = parsed instanceof PushError ? null : parsed;
  const touch = await ports.connections.touch(connectionId, {
    atMs: receivedAtMs,
    nowMs: ports.clock.now(),
    pong: command?.type === 'pong',
    subscribes: command?.type === 'subscribe' ? command.topics.length : 0,
  });
  // a socket without record would look alive and never be told anything: it is better off connecting again
  if (!touch) return ports.gateway.close(connectionId);
  if (touch.greet) await greet(touch.connection, ports);
  else await awaitGreeting(touch.connection, ports.clock);

  if (touch.inThisSecond > MAX_MESSAGES_PER_SECOND) {
    throw new PushError('RATE_LIMIT_EXCEEDED', `more than ${MAX_MESSAGES_PER_SECOND} messages a second; this one was not served`, {
      limit_per_second: MAX_MESSAGES_PER_SECOND,
    });
  }
  if (parsed instanceof PushError) throw parsed;
  await carryOut(parsed, touch, message, ports);
}

async function carryOut(command: Command, touch: Touch, message: ClientMessage, ports: MessagePorts): Promise<void> {
  const { connection } = touch;
  const subscriber = { connection, requestedAtMs: message.receivedAtMs };
  switch (command.type) {
    case 'pong':
      return;
    case 'subscribe': {
      const wanted = command.topics.flatMap((topic) => wishOf(topic, command, ports));
      const { wishes, tooMany } = await withinCount(touch, wanted, ports);
      ports.report.info('subscribe', { connectionId: connection.connectionId, topics: wishes.map(({ topic }) => topic) });
      await subscribe(wishes, subscriber, ports);
      if (tooMany) throw tooMany;
      return refuseUnknown(command.topics, ports.channels);
    }
    case 'unsubscribe': {
      const known = command.topics.filter((topic) => ports.channels.of(topic));
      await unsubscribe(known, subscriber, ports);
      ports.report.info('unsubscribe', { connectionId: connection.connectionId, topics: known });
      for (const topic of known) await ports.gateway.post(connection.connectionId, formatUnsubscribed(topic));
      return refuseUnknown(command.topics, ports.channels);
    }
  }
}

function wishOf(topic: string, command: Extract<Command, { type: 'subscribe' }>, { channels }: MessagePorts): Wish[] {
  const channel = channels.of(topic);
  return channel ? [{ topic, channel, since: command.since.get(topic) ?? null }] : [];
}

/** Of several topics the permitted ones are served, and one error lists the rest. */
function refuseUnknown(topics: readonly string[], channels: Channels): void {
  const unknown = topics.filter((topic) => !channels.of(topic));
  if (unknown.length === 0) return;
  const known = channels.all.map(({ topicHint }) => topicHint);
  throw new PushError(
    'INVALID_MESSAGE_FORMAT',
    `no channel has the topic ${unknown.slice(0, 5).join(', ').slice(0, 300)}; there are ${known.join(', ')}`,
    {
      expected_fields: ['type', 'topic'],
      topics: unknown.slice(0, 100),
    },
  );
}

/** As many of the wishes as the connection may have. The running count is rarely too low, so the exact one is asked for only where it says too many. */
async function withinCount(
  touch: Touch,
  wishes: readonly Wish[],
  { connections, maxSubscriptions }: MessagePorts,
): Promise<{ wishes: readonly Wish[]; tooMany: PushError | null }> {
  if (touch.subscribes <= maxSubscriptions) return { wishes, tooMany: null };
  const id = touch.connection.connectionId;
  const have = new Set((await connections.subscriptions(id)).map(({ topic }) => topic));
  const fitting = wishes.filter(({ topic }) => {
    if (!have.has(topic) && have.size >= maxSubscriptions) return false;
    have.add(topic);
    return true;
  });
  await connections.resetSubscribes(id, have.size);
  if (fitting.length === wishes.length) return { wishes, tooMany: null };
  const rest = wishes.filter((wish) => !fitting.includes(wish)).map(({ topic }) => topic);
  const tooMany = new PushError(
    'TOO_MANY_SUBSCRIPTIONS',
    `a connection may have ${maxSubscriptions} subscriptions; unsubscribe from some first`,
    {
      limit: maxSubscriptions,
      topics: rest.slice(0, 100),
    },
  );
  return { wishes: fitting, tooMany };
}

function attempt<Value>(work: () => Value): Value | PushError {
  try {
    return work();
  } catch (error) {
    if (error instanceof PushError) return error;
    throw error;
  }
}

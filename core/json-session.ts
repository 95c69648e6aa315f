/** What a client that speaks JSON asks for. */
import { answer } from './answer.ts';
import { chooseBroadcasts } from './broadcasts.ts';
import { PushError } from './errors.ts';
import { serveMonitor } from './monitor-session.ts';
import { JSON_SUBSCRIPTION, type Touch } from './ports.ts';
import { type Command, formatUnsubscribed } from './protocol/json.ts';
import { type MessagePorts, principalOf, withinCount } from './session.ts';
import { subscribe, unsubscribe, type Wish } from './subscribe.ts';

export async function serveJson(command: Command, touch: Touch, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const { connection } = touch;
  const { connectionId } = connection;
  const subscriber = { connection, requestedAtMs };
  // the last word on what it is told unasked, before anything new is told
  if ((command.type === 'subscribe' || command.type === 'unsubscribe') && command.chooses) {
    await chooseBroadcasts(subscriber, command.type === 'subscribe' ? command.topics : [], ports);
  }
  switch (command.type) {
    case 'pong':
      return;
    case 'subscribe': {
      const { wanted, denied } = wishesOf(command, touch, ports);
      const { wishes, tooMany } = await withinCount(touch, wanted, ports);
      ports.report.info('subscribe', { connectionId, topics: wishes.map(({ topic }) => topic) });
      await subscribe(wishes, subscriber, ports);
      const had = new Set(wishes.map(({ topic }) => topic));
      return refuse(
        [tooMany, deniedError(denied), unknownError(command.topics, ports)],
        command.topics.filter((topic) => !had.has(topic)),
      );
    }
    case 'unsubscribe': {
      const known = command.topics.filter((topic) => ports.channels.of(topic));
      await unsubscribe(
        known.map((topic) => ({ topic, subscriptionId: JSON_SUBSCRIPTION })),
        subscriber,
        ports,
      );
      ports.report.info('unsubscribe', { connectionId, topics: known });
      for (const topic of known) await answer(connectionId, formatUnsubscribed(topic), ports);
      return refuse(
        [unknownError(command.topics, ports)],
        command.topics.filter((topic) => !known.includes(topic)),
      );
    }
    case 'client_info':
    case 'ping':
    case 'service_control':
    case 'send_webhook':
      return serveMonitor(command, subscriber, ports);
  }
}

/** The topics that exist and that the client may be told, and those it may not. */
function wishesOf(
  command: Extract<Command, { type: 'subscribe' }>,
  { connection }: Touch,
  { channels, identity }: MessagePorts,
): { wanted: Wish[]; denied: string[] } {
  const principal = principalOf(connection, identity);
  const wanted: Wish[] = [];
  const denied: string[] = [];
  for (const topic of command.topics) {
    const channel = channels.of(topic);
    if (!channel) continue;
    if (!principal || !channel.permits(topic, principal)) {
      denied.push(topic);
      continue;
    }
    const filter = (channel.filtering && command.filters.get(channel.filtering.name)) ?? null;
    const since = command.since.get(topic) ?? null;
    wanted.push({ topic, channel, since, subscriptionId: JSON_SUBSCRIPTION, receipt: null, filter, unasked: false });
  }
  return { wanted, denied };
}

/** Of several topics the possible ones are served, and one error lists the rest: with the first reason there is. */
function refuse(reasons: readonly (PushError | null)[], rest: readonly string[]): void {
  const reason = reasons.find((one) => one !== null);
  if (reason) throw new PushError(reason.code, reason.message, { ...reason.details, topics: rest.slice(0, MAX_NAMED) });
}

/** So many topics an error names. */
const MAX_NAMED = 100;

const some = (topics: readonly string[]): string => topics.slice(0, 5).join(', ').slice(0, 300);

const deniedError = (topics: readonly string[]): PushError | null =>
  topics.length === 0 ? null : new PushError('PERMISSION_DENIED', `not yours to subscribe to: ${some(topics)}`);

function unknownError(topics: readonly string[], { channels }: MessagePorts): PushError | null {
  const unknown = topics.filter((topic) => !channels.of(topic));
  if (unknown.length === 0) return null;
  return new PushError('INVALID_MESSAGE_FORMAT', `no channel has the topic ${some(unknown)}; there are ${channels.hints}`, {
    expected_fields: ['type', 'topic'],
  });
}

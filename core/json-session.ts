/** What a client that speaks JSON asks for. */
import { answer } from './answer.ts';
import { PushError } from './errors.ts';
import type { Touch } from './ports.ts';
import { type Command, formatUnsubscribed } from './protocol/json.ts';
import { type MessagePorts, principalOf, withinCount } from './session.ts';
import { JSON_SUBSCRIPTION, subscribe, unsubscribe, type Wish } from './subscribe.ts';

export async function serveJson(command: Command, touch: Touch, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const { connection } = touch;
  const { connectionId } = connection;
  const subscriber = { connection, requestedAtMs };
  switch (command.type) {
    case 'pong':
      return;
    case 'subscribe': {
      const { wanted, denied } = wishesOf(command, touch, ports);
      const { wishes, tooMany } = await withinCount(touch, wanted, ports);
      ports.report.info('subscribe', { connectionId, topics: wishes.map(({ topic }) => topic) });
      await subscribe(wishes, subscriber, ports);
      // of several topics the possible ones are served, and one error lists the rest
      if (tooMany) throw tooMany;
      if (denied.length > 0) throw deniedError(denied);
      return refuseUnknown(command.topics, ports);
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
      return refuseUnknown(command.topics, ports);
    }
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
    if (principal && channel.permits(topic, principal))
      wanted.push({ topic, channel, since: command.since.get(topic) ?? null, subscriptionId: JSON_SUBSCRIPTION, receipt: null });
    else denied.push(topic);
  }
  return { wanted, denied };
}

const deniedError = (topics: readonly string[]): PushError =>
  new PushError('PERMISSION_DENIED', `not yours to subscribe to: ${topics.slice(0, 5).join(', ').slice(0, 300)}`, {
    topics: topics.slice(0, 100),
  });

function refuseUnknown(topics: readonly string[], { channels }: MessagePorts): void {
  const unknown = topics.filter((topic) => !channels.of(topic));
  if (unknown.length === 0) return;
  const known = channels.all.map(({ topicHint }) => topicHint);
  throw new PushError(
    'INVALID_MESSAGE_FORMAT',
    `no channel has the topic ${unknown.slice(0, 5).join(', ').slice(0, 300)}; there are ${known.join(', ')}`,
    { expected_fields: ['type', 'topic'], topics: unknown.slice(0, 100) },
  );
}

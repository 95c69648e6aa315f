/** What a client that speaks JSON asks for. */
import * as v from 'valibot';
import { byteLength } from '../base/bytes.ts';
import { explain } from '../base/validation.ts';
import { chooseBroadcasts } from '../broadcasts.ts';
import type { Channel } from '../channels/channel.ts';
import { typeOfTopic } from '../channels/ops/ops.ts';
import { answer } from '../connections/reply.ts';
import { subscribe, type Wish } from '../delivery/subscribe.ts';
import { unsubscribe } from '../delivery/unsubscribe.ts';
import { PushError } from '../errors.ts';
import { serveMonitor } from '../monitor-session.ts';
import { JSON_SUBSCRIPTION, type Touch } from '../ports.ts';
import {
  type Command,
  formatUnsubscribed,
  type SubscribeCommand,
  type UnsubscribeCommand,
  WITH_DATA,
  WITH_TOPIC,
} from '../protocol/json.ts';
import { type MessagePorts, principalOf, withinCount } from './session.ts';

export async function serveJson(command: Command, touch: Touch, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const { connection } = touch;
  const { connectionId } = connection;
  const subscriber = { connection, requestedAtMs };
  switch (command.type) {
    case 'pong':
      return;
    case 'subscribe': {
      checkNames(command, ports);
      const { wanted, denied } = wishesOf(command, touch, ports);
      const { wishes, tooMany } = await withinCount(touch, wanted, ports);
      ports.report.info('subscribe', { connectionId, topics: wishes.map(({ topic }) => topic) });
      if (command.chooses && command.topics.some((topic) => ports.channels.of(topic)))
        await chooseBroadcasts(
          subscriber,
          wishes.map(({ topic }) => topic),
          ports,
        );
      await subscribe(wishes, subscriber, ports);
      const had = new Set(wishes.map(({ topic }) => topic));
      return refuse(
        [tooMany, deniedError(denied, ports), unknownError(command, ports)],
        command.topics.filter((topic) => !had.has(topic)),
      );
    }
    case 'unsubscribe': {
      const known = command.topics.filter((topic) => ports.channels.of(topic));
      if (command.chooses && known.length > 0) await chooseBroadcasts(subscriber, [], ports);
      await unsubscribe(
        known.map((topic) => ({ topic, subscriptionId: JSON_SUBSCRIPTION })),
        subscriber,
        ports,
      );
      ports.report.info('unsubscribe', { connectionId, topics: known });
      for (const topic of known) await answer(connectionId, formatUnsubscribed(topic), ports);
      return refuse(
        [unknownError(command, ports)],
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
  command: SubscribeCommand,
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
    const filter = filterOf(channel, command.filters);
    const since = command.since.get(topic) ?? null;
    wanted.push({ topic, channel, since, subscriptionId: JSON_SUBSCRIPTION, receipt: null, filter, unasked: false });
  }
  return { wanted, denied };
}

/** A filter is read with its subscription by every drain. */
const MAX_FILTER_BYTES = 2_000;

/** The values in one order, each once: equal filters are equal text. */
function filterOf({ filtering }: Channel, filters: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const given = filtering ? filters.get(filtering.name) : undefined;
  if (!filtering || !given) return null;
  const where = `message.data.filters.${filtering.name}`;
  const parsed = v.safeParse(v.array(filtering.values), given);
  if (!parsed.success) throw explain(parsed.issues, where, { expected_fields: WITH_DATA });
  const filter = [...new Set(parsed.output)].sort();
  if (byteLength(JSON.stringify(filter)) <= MAX_FILTER_BYTES) return filter;
  throw new PushError('INVALID_MESSAGE_FORMAT', `${where}: expected no more than ${MAX_FILTER_BYTES} bytes`, {
    expected_fields: WITH_DATA,
  });
}

/** Of several topics the possible ones are served, and one error lists the rest: with the first reason there is. */
function refuse(reasons: readonly (PushError | null)[], rest: readonly string[]): void {
  const reason = reasons.find((one) => one !== null);
  if (reason) throw new PushError(reason.code, reason.message, { ...reason.details, topics: rest.slice(0, MAX_NAMED) });
}

/** So many topics an error names. */
const MAX_NAMED = 100;

const some = (topics: readonly string[]): string => topics.slice(0, 5).join(', ').slice(0, 300);

function deniedError(topics: readonly string[], { channels }: MessagePorts): PushError | null {
  const [first] = topics;
  if (first === undefined) return null;
  return new PushError(
    'PERMISSION_DENIED',
    `not yours to subscribe to: ${some(topics)} (${first} ${channels.of(first)?.permitHint ?? ''})`,
  );
}

function unknownError({ topics, chooses }: SubscribeCommand | UnsubscribeCommand, { channels }: MessagePorts): PushError | null {
  const unknown = topics.filter((topic) => !channels.of(topic));
  if (unknown.length === 0) return null;
  if (chooses) {
    const names = unknown.map(typeOfTopic);
    return new PushError(
      'INVALID_MESSAGE_FORMAT',
      `no broadcast is called ${some(names)}; there are ${channels.broadcasts.map(typeOfTopic).join(', ')}`,
      {
        expected_fields: WITH_DATA,
      },
    );
  }
  return new PushError('INVALID_MESSAGE_FORMAT', `no channel has the topic ${some(unknown)}; there are ${channels.hints}`, {
    expected_fields: WITH_TOPIC,
  });
}

/** What a client says by name must be something there is: a name that is misspelt would be served as if it were not there. */
function checkNames({ since, filters }: SubscribeCommand, { channels }: MessagePorts): void {
  const stranger = [...since.keys()].find((topic) => !channels.of(topic));
  if (stranger !== undefined)
    throw new PushError(
      'INVALID_MESSAGE_FORMAT',
      `since: ${some([stranger])} is no topic; expected a position, or {topic: position}, such as {"ops:alert": "…"}`,
    );
  const known = channels.all.flatMap(({ filtering }) => filtering?.name ?? []);
  const unknown = [...filters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new PushError(
      'INVALID_MESSAGE_FORMAT',
      `message.data.filters: there is no filter ${some([unknown])}; there are ${known.join(', ')}`,
      {
        expected_fields: WITH_DATA,
      },
    );
}

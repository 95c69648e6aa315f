/** Subscribing and unsubscribing in JSON: of several topics the possible ones are served, and one error lists the rest. */

import * as v from 'valibot';
import { byteLength } from '../base/bytes.ts';
import { cut } from '../base/text.ts';
import { explain } from '../base/validation.ts';
import type { Channel } from '../channels/channel.ts';
import type { SubscribeRequest } from '../channels/system.ts';
import { reply } from '../connections/reply.ts';
import { endIfForbidden } from '../delivery/end-forbidden.ts';
import type { Subscriber, Wish } from '../delivery/first-delivery.ts';
import { subscribe } from '../delivery/subscribe.ts';
import { unsubscribe } from '../delivery/unsubscribe.ts';
import { PushError } from '../errors.ts';
import { UNNAMED } from '../ports/audience.ts';
import type { Connection, Touch } from '../ports/connections.ts';
import { WITH_DATA } from '../protocol/json.ts';
import { formatUnsubscribed } from '../protocol/json-replies.ts';
import { endDefaults } from './announce.ts';
import { deadline, type MessagePorts, overdue, principalOf, withinLimit } from './session.ts';

/** Every drain reads a filter with its subscription, in bytes. */
const MAX_FILTER_BYTES = 2_000;

/** Subscriptions that are ended before the first of them is answered. */
const ENDED_AT_ONCE = 16;

/** An error lists topics up to this size, one metered message: 500 of usual length. */
const MAX_LISTED_BYTES = 32_000;

export async function serveSubscribe(request: SubscribeRequest, touch: Touch, requestedAtMs: number, ports: MessagePorts): Promise<void> {
  const { connection } = touch;
  const subscriber = { connection, requestedAtMs };
  checkNames(request, ports);
  const { wanted, denied } = wishesOf(request, connection, ports);
  const goOn = deadline(ports);
  const { wishes, tooMany } = await withinLimit(touch, wanted, ports);
  const topics = wishes.map(({ topic }) => topic);
  ports.report.info('subscribe', { connectionId: connection.connectionId, topics });
  const unknown = unknownTopics(request, ports);
  if (unknown.length < request.topics.length) await endDefaults(request.choosesFrom, topics, subscriber, ports);
  const late = (await subscribe(wishes, subscriber, ports, goOn)).map(({ topic }) => topic);
  if (ports.identity.required) await endIfForbidden(connection, ports);
  throwFirst(
    [late.length > 0 ? overdue() : null, tooMany, deniedError(denied, ports), unknown.length > 0 ? request.unknown(unknown) : null],
    request.topics.filter((topic) => late.includes(topic) || !topics.includes(topic)),
  );
}

export async function serveUnsubscribe(
  request: Pick<SubscribeRequest, 'topics' | 'choosesFrom' | 'unknown'>,
  subscriber: Subscriber,
  ports: MessagePorts,
): Promise<void> {
  const { connectionId } = subscriber.connection;
  const unknown = unknownTopics(request, ports);
  const known = request.topics.filter((topic) => !unknown.includes(topic));
  if (known.length > 0) await endDefaults(request.choosesFrom, [], subscriber, ports);
  const goOn = deadline(ports);
  const late = [...known];
  while (late.length > 0 && goOn()) {
    const some = late.splice(0, ENDED_AT_ONCE);
    await unsubscribe(
      some.map((topic) => ({ topic, subscriptionId: UNNAMED })),
      subscriber,
      ports,
    );
    for (const topic of some) await reply(connectionId, formatUnsubscribed(topic, ports.clock.now()), ports);
  }
  ports.report.info('unsubscribe', { connectionId, topics: known.slice(0, known.length - late.length) });
  throwFirst([late.length > 0 ? overdue() : null, unknown.length > 0 ? request.unknown(unknown) : null], [...late, ...unknown]);
}

const unknownTopics = ({ topics }: Pick<SubscribeRequest, 'topics'>, { channels }: MessagePorts): string[] =>
  topics.filter((topic) => !channels.of(topic));

/** The topics that the client may subscribe to, and those it may not. Unknown ones are in neither. */
function wishesOf(
  request: SubscribeRequest,
  connection: Connection,
  { channels, identity }: MessagePorts,
): { wanted: Wish[]; denied: string[] } {
  const principal = principalOf(connection, identity);
  const wanted: Wish[] = [];
  const denied: string[] = [];
  for (const topic of request.topics) {
    const channel = channels.of(topic);
    if (!channel) continue;
    if (!principal || !channel.permits(topic, principal)) {
      denied.push(topic);
      continue;
    }
    const filter = filterOf(channel, request.filters);
    const since = request.since.get(topic) ?? (request.last === null ? null : { last: request.last });
    wanted.push({ topic, channel, since, subscriptionId: UNNAMED, receipt: null, filter, unasked: false });
  }
  return { wanted, denied };
}

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

/** Throws the first reason, with the topics that were not served. */
function throwFirst(reasons: readonly (PushError | null)[], topics: readonly string[]): void {
  const reason = reasons.find((one) => one !== null);
  if (!reason) return;
  throw new PushError(reason.code, reason.message, { ...reason.details, topics: listed(topics) });
}

/** As many topics as an error may list. */
function listed(topics: readonly string[]): string[] {
  let bytes = 0;
  return topics.filter((topic) => {
    bytes += byteLength(JSON.stringify(topic)) + 1;
    return bytes <= MAX_LISTED_BYTES;
  });
}

/** Some topics, for an error's text. */
export const some = (topics: readonly string[]): string => cut(topics.slice(0, 5).join(', '), 300);

function deniedError(topics: readonly string[], { channels }: MessagePorts): PushError | null {
  const [first] = topics;
  if (first === undefined) return null;
  return new PushError(
    'PERMISSION_DENIED',
    `not yours to subscribe to: ${some(topics)} (${first} ${channels.of(first)?.permitHint ?? ''})`,
  );
}

/** Names of topics and filters must exist: a misspelt one would otherwise be ignored. */
function checkNames({ topics, since, filters }: SubscribeRequest, { channels }: MessagePorts): void {
  const stranger = [...since.keys()].find((topic) => !channels.of(topic));
  if (stranger !== undefined)
    throw new PushError('INVALID_MESSAGE_FORMAT', `since: ${some([stranger])} is no topic; expected a position, or {topic: position}`, {
      topics: listed([stranger]),
    });
  const known = channels.all.flatMap(({ internal, filtering }) => (internal ? [] : (filtering?.name ?? [])));
  const unknown = [...filters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new PushError(
      'INVALID_MESSAGE_FORMAT',
      `message.data.filters: there is no filter ${some([unknown])}; there are ${known.join(', ')}`,
      { expected_fields: WITH_DATA, topics: listed(topics) },
    );
}

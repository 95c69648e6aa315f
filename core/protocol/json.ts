/** The JSON dialect: text ↔ typed command or message (`docs/protocol.md`). */
import * as v from 'valibot';
import { formatPosition, type Position, parsePosition } from '../base/position.ts';
import { isoOf } from '../base/time.ts';
import { explain } from '../base/validation.ts';
import { opsTopic } from '../channels/ops/ops.ts';
import { PushError } from '../errors.ts';
import { parseJson } from '../events/envelope.ts';
import { filtersOf, MONITOR_TYPES, type MonitorCommand, topicsOfTypes, typedSubscribe, typedUnsubscribe } from './monitor.ts';

export type Command = SubscribeCommand | UnsubscribeCommand | { readonly type: 'pong' } | MonitorCommand;

export interface SubscribeCommand {
  readonly type: 'subscribe';
  readonly topics: readonly string[];
  readonly since: ReadonlyMap<string, Position>;
  /** By the filter's name. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** It names types of broadcasts and not topics: the client chooses among them. */
  readonly chooses: boolean;
}

export interface UnsubscribeCommand {
  readonly type: 'unsubscribe';
  readonly topics: readonly string[];
  readonly chooses: boolean;
}

/** No topic of ours is longer; longer ones would only fill the tables. */
const topic = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const position = v.pipe(
  v.string(),
  v.check((text) => parsePosition(text) !== null, 'expected a position, epoch:offset'),
  v.transform((text) => parsePosition(text) as Position),
);
const topics = v.pipe(v.array(topic), v.minLength(1), v.maxLength(500));

const since = v.optional(v.union([position, v.record(v.string(), position)], 'expected a position, epoch:offset, or {topic: position}'));
const subscribe = v.object({ topic: v.optional(topic), topics: v.optional(topics), since });
const chosenSubscribe = v.object({ ...typedSubscribe.entries, since });
const unsubscribe = v.object({ topic: v.optional(topic), topics: v.optional(topics) });

const TYPES = ['subscribe', 'unsubscribe', 'pong', ...Object.keys(MONITOR_TYPES)];

/** Reads one message of a client. Throws a PushError that says what was expected; what came, its caller adds. */
export function parseCommand(text: string): Command {
  const message = parseJson(text);
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new PushError('INVALID_MESSAGE_FORMAT', 'expected a JSON object with a type');
  }
  const type: unknown = 'type' in message ? message.type : undefined;
  if (typeof type !== 'string') {
    throw new PushError('INVALID_MESSAGE_FORMAT', 'type: expected a string');
  }
  switch (type) {
    case 'pong':
      return { type };
    case 'unsubscribe':
      if (chooses(message)) {
        const { data } = checked(typedUnsubscribe, message, WITH_DATA);
        return { type, topics: topicsOfTypes(data.event_types), chooses: true };
      }
      return { type, topics: named(checked(unsubscribe, message, WITH_TOPIC)), chooses: false };
    case 'subscribe': {
      if (chooses(message)) {
        const { data, since: from } = checked(chosenSubscribe, message, WITH_DATA);
        if ('since' in ((message as { data: object }).data ?? {}))
          throw new PushError('INVALID_MESSAGE_FORMAT', 'since: it stands beside data, not in it', {
            expected_fields: WITH_DATA,
          });
        const topics = topicsOfTypes(data.event_types);
        return { type, topics, since: byTopic(sinceOf(from, topics)), filters: filtersOf(data.filters), chooses: true };
      }
      const parsed = checked(subscribe, message, WITH_TOPIC);
      const topics = named(parsed);
      return { type, topics, since: sinceOf(parsed.since, topics), filters: new Map(), chooses: false };
    }
  }
  if (Object.hasOwn(MONITOR_TYPES, type)) {
    const { schema, command } = MONITOR_TYPES[type as keyof typeof MONITOR_TYPES];
    return command(checked(schema, message, WITH_DATA).data);
  }
  throw new PushError('UNKNOWN_MESSAGE_TYPE', `unknown type ${JSON.stringify(type.slice(0, 50))}`, { known_types: TYPES });
}

/** Fields that a message should have had, for who is told what is wrong with it. */
export const WITH_TOPIC = ['type', 'topic'];
export const WITH_DATA = ['type', 'data'];

/** Topics are named at the top, types of broadcasts in `data`. */
const chooses = (message: object): boolean =>
  'data' in message && typeof message.data === 'object' && message.data !== null && !('topic' in message || 'topics' in message);

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  message: object,
  expectedFields: readonly string[],
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, message);
  if (!result.success) throw explain(result.issues, 'message', { expected_fields: expectedFields });
  return result.output;
}

/** The topics a message names, each once. */
function named(message: { topic?: string | undefined; topics?: string[] | undefined }): string[] {
  const all = [...(message.topic === undefined ? [] : [message.topic]), ...(message.topics ?? [])];
  if (all.length === 0)
    throw new PushError('INVALID_MESSAGE_FORMAT', 'topic: expected a string (or data.event_types, a list of broadcasts)', {
      expected_fields: WITH_TOPIC,
    });
  return [...new Set(all)];
}

function sinceOf(since: Position | Record<string, Position> | undefined, wanted: readonly string[]): Map<string, Position> {
  if (since === undefined) return new Map();
  if (!isPosition(since)) return new Map(Object.entries(since));
  const [only, ...others] = wanted;
  if (only === undefined || others.length > 0) {
    throw new PushError('INVALID_MESSAGE_FORMAT', 'since: where several topics are named, expected {topic: position}');
  }
  return new Map([[only, since]]);
}

/** Who names types may name positions by them, too. */
const byTopic = (since: ReadonlyMap<string, Position>): Map<string, Position> =>
  new Map([...since].map(([name, at]) => [name.includes(':') || name.includes('/') ? name : opsTopic(name), at]));

const isPosition = (since: Position | Record<string, Position>): since is Position => typeof since['epoch'] === 'string';

// --- server to client -----------------------------------------------------------------------------------------

/** A topic's message; with its position, unless it is told again. */
export const formatJson = (message: object, position?: Position): string =>
  JSON.stringify(position ? { ...message, position: formatPosition(position.epoch, position.offset) } : message);

export const formatConnected = (clientId: string): string =>
  JSON.stringify({ type: 'connected', client_id: clientId, message: 'WebSocket connection established' });

/** `recovered` only answers a `since`. */
export const formatSubscribed = (topic: string, head: Position, recovered: boolean | null): string =>
  JSON.stringify({
    type: 'subscribed',
    topic,
    message: `Subscribed to ${topic}`,
    position: formatPosition(head.epoch, head.offset),
    ...(recovered === null ? {} : { recovered }),
  });

export const formatUnsubscribed = (topic: string): string =>
  JSON.stringify({ type: 'unsubscribed', topic, message: `Unsubscribed from ${topic}` });

export const formatPing = (nowMs: number): string => JSON.stringify({ type: 'ping', timestamp: isoOf(nowMs) });

export function formatError(error: PushError, nowMs: number): string {
  const timestamp = isoOf(nowMs);
  return JSON.stringify({
    type: 'error',
    data: { error_code: error.code, error_message: error.message, details: error.details, timestamp },
    timestamp,
  });
}

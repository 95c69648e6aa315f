/** The JSON dialect, client to server: text → typed command (`docs/protocol.md`). */
import * as v from 'valibot';
import { type Position, parsePosition } from '../base/position.ts';
import { quote } from '../base/text.ts';
import { explain, isObject, mapOf, numbers, optional, parseJson } from '../base/validation.ts';
import type { ClientMessage } from '../channels/system.ts';
import { PushError } from '../errors.ts';

export type Command = SubscribeCommand | UnsubscribeCommand | RefreshCommand | { readonly type: 'pong' } | SystemCommand;

export interface SubscribeCommand {
  readonly type: 'subscribe';
  readonly topics: readonly string[];
  readonly since: ReadonlyMap<string, Position>;
  /** Of each log topic the newest so many first; `null` = not asked for. */
  readonly last: number | null;
}

export interface UnsubscribeCommand {
  readonly type: 'unsubscribe';
  readonly topics: readonly string[];
}

/** A new token for the open connection. */
export interface RefreshCommand {
  readonly type: 'refresh';
  readonly token: string;
}

/** A message of a system's client, checked by its schema. */
export interface SystemCommand {
  readonly type: 'system';
  readonly handler: ClientMessage;
  readonly message: unknown;
}

/** By type. */
export type ClientMessages = Readonly<Record<string, ClientMessage>>;

/** No topic is longer; a longer one would only fill the tables. */
const topic = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const position = v.pipe(
  v.string(),
  v.check((text) => parsePosition(text) !== null, 'expected a position, epoch-offset'),
  v.transform((text) => parsePosition(text) as Position),
);
const topics = v.pipe(v.array(topic), v.minLength(1), v.maxLength(500));

/** Schema of `since`: a position where one topic is named, or positions by topic. */
export const since = optional(v.union([position, mapOf(position)], 'expected a position, epoch-offset, or {topic: position}'));
type Since = v.InferOutput<typeof since>;

/** Schema of `last`. */
export const last = optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)));

const subscribe = v.object({ topic: optional(topic), topics: optional(topics), since, last });
const unsubscribe = v.object({ topic: optional(topic), topics: optional(topics) });
const refresh = v.object({ token: v.pipe(v.string(), v.nonEmpty()) });

/** The schemas of the engine's own messages, by type. */
export const ENGINE_MESSAGES = { subscribe, unsubscribe, refresh, pong: v.object({}) } as const;

const FINITE = numbers('finite');

/** The engine's own types. A system may take them too, in the envelope. */
const TYPES = Object.keys(ENGINE_MESSAGES);

/** Fields that a message should have had, for the error about it. */
export const WITH_TOPIC = ['type', 'topic'];
export const WITH_DATA = ['type', 'data'];

/** Reads one message of a client. Throws a PushError that says what was expected; its caller adds what came. */
export function parseCommand(text: string, messages: ClientMessages): Command {
  const message = parseJson(text);
  if (!isObject(message)) {
    throw new PushError('INVALID_MESSAGE_FORMAT', 'expected a JSON object with a type', { expected_fields: WITH_DATA });
  }
  const { type } = message;
  if (typeof type !== 'string') throw new PushError('INVALID_MESSAGE_FORMAT', 'type: expected a string', { expected_fields: WITH_DATA });
  const handler = Object.hasOwn(messages, type) ? messages[type] : undefined;
  if (handler && (isEnveloped(message) || !TYPES.includes(type)))
    return { type: 'system', handler, message: checked(handler.schema, message, WITH_DATA) };
  switch (type) {
    case 'pong':
      return { type };
    case 'refresh':
      return { type, ...checked(refresh, message, ['type', 'token']) };
    case 'unsubscribe':
      return { type, topics: named(checked(unsubscribe, message, WITH_TOPIC)) };
    case 'subscribe': {
      const parsed = checked(subscribe, message, WITH_TOPIC);
      const wanted = named(parsed);
      return { type, topics: wanted, since: sinceByTopic(parsed.since, wanted), last: lastOf(parsed) };
    }
  }
  throw new PushError('UNKNOWN_MESSAGE_TYPE', `unknown type ${quote(type, 50)}`, {
    known_types: [...new Set([...TYPES, ...Object.keys(messages)])],
  });
}

/** The engine's messages name topics at the top; a system's have everything in `data`. */
const isEnveloped = (message: object): boolean =>
  isThere(message, 'data') && typeof message.data === 'object' && !isThere(message, 'topic') && !isThere(message, 'topics');

/** `null` counts as absent. */
const isThere = <Name extends string>(message: object, name: Name): message is { [name in Name]: unknown } =>
  (message as Record<string, unknown>)[name] != null;

function checked<Schema extends v.GenericSchema>(
  schema: Schema,
  message: object,
  expectedFields: readonly string[],
): v.InferOutput<Schema> {
  const result = v.safeParse(v.pipe(schema, FINITE), message);
  if (!result.success) throw explain(result.issues, 'message', { expected_fields: expectedFields });
  return result.output as v.InferOutput<Schema>;
}

/** The topics that a message names, each once. */
function named(message: { topic?: string | undefined; topics?: string[] | undefined }): string[] {
  const all = [...(message.topic === undefined ? [] : [message.topic]), ...(message.topics ?? [])];
  if (all.length === 0)
    throw new PushError('INVALID_MESSAGE_FORMAT', 'topic: expected a string, or topics: a list of them', {
      expected_fields: WITH_TOPIC,
    });
  return [...new Set(all)];
}

/** `last` of a request, which has no `since` then. */
export function lastOf(given: { readonly last?: number | undefined; readonly since?: Since }): number | null {
  if (given.last === undefined) return null;
  if (given.since !== undefined)
    throw new PushError('INVALID_MESSAGE_FORMAT', 'last: expected either since or last, because each says where to start');
  return given.last;
}

/** The positions by topic. A single position is good for a single topic. */
export function sinceByTopic(given: Since, wanted: readonly string[]): Map<string, Position> {
  if (given === undefined) return new Map();
  if (given instanceof Map) return given;
  const [only, ...others] = wanted;
  if (only === undefined || others.length > 0) {
    throw new PushError('INVALID_MESSAGE_FORMAT', 'since: where several topics are named, expected {topic: position}');
  }
  return new Map([[only, given]]);
}

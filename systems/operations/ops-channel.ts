/** Shared by the channels of the operations monitor: topic, envelope, role, filters and fields. */
import * as v from 'valibot';
import { instant, jsonObject, optional } from '../../core/base/validation.ts';
import type { Channel, EventMeta, Filtering, History, Kind } from '../../core/channels/channel.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { onlyRole } from '../../core/channels/permits.ts';

/** The role that may see the monitor. */
const READ = 'ops:read';

const TOPIC_PREFIX = 'ops:';

/** `alert` → `ops:alert`. */
export const opsTopic = (type: string): string => TOPIC_PREFIX + type;
export const typeOfTopic = (topic: string): string => (topic.startsWith(TOPIC_PREFIX) ? topic.slice(TOPIC_PREFIX.length) : topic);

/** A log of operations keeps this many messages, and all of the last quarter of an hour. */
const HISTORY: History = { messages: 1_000, ms: 15 * 60_000, most: 30_000 };

/** A broadcast as stored. Its data is text, since upstreams may put more into free-form fields than a table's types hold. */
export interface Stored {
  readonly id: string;
  readonly timestamp: string;
  readonly json: string;
}

export const storedOf = (id: string, { iso }: EventTime, data: object): Stored => ({ id, timestamp: iso, json: JSON.stringify(data) });

/** A broadcast as clients get it. */
export const broadcastOf = (type: string, idPrefix: string, { id, timestamp, json }: Stored): object => ({
  type,
  data: JSON.parse(json) as object,
  timestamp,
  broadcast_id: idPrefix + id,
});

export interface OpsForm<Entries extends v.ObjectEntries> {
  /** The broadcast's type, and its topic without the prefix. */
  readonly type: string;
  readonly kind: Kind;
  /** Name of its events on the bus. */
  readonly detailType: string;
  /** Start of its `broadcast_id`. */
  readonly idPrefix: string;
  /** The fields of `data`. */
  readonly entries: Entries;
  readonly filtering: Filtering | null;
  /** The field of `data` that is a list of entries, each good or bad by itself. @default none */
  readonly list?: keyof Entries & string;
  /** The data in parts, each small enough for a frame if that is possible. @default one part */
  readonly split?: (data: object) => readonly object[];
}

/** A broadcast's channel, and the schema of its `data`. */
export interface OpsChannel<Entries extends v.ObjectEntries> extends Channel {
  readonly data: v.ObjectSchema<Entries, undefined>;
}

export function opsChannel<Entries extends v.ObjectEntries>(form: OpsForm<Entries>): OpsChannel<Entries> {
  const { type, kind, detailType, idPrefix, filtering, split = (data) => [data] } = form;
  const schema = v.object({ ...form.entries, timestamp: optional(instant) }) as v.GenericSchema<
    unknown,
    { timestamp?: string | undefined }
  >;
  const drafts = ({ timestamp, ...data }: { timestamp?: string | undefined }, { id }: EventMeta) =>
    split(data).map((part, index) => ({
      topic: {},
      timestamp,
      value: (at: EventTime): Stored => storedOf(index === 0 ? id : `${id}.${index + 1}`, at, part),
    }));
  const channel = defineChannel({
    name: type,
    kind,
    source: 'ops.monitor',
    topic: opsTopic(type),
    events: { [detailType]: event(schema, drafts, { list: (form.list ?? null) as never }) },
    payload: ({ parts: { newest } }: MessageOf<{ newest: Stored }>) => newest && broadcastOf(type, idPrefix, newest),
    permits: onlyRole(READ),
    filtering,
    history: HISTORY,
  });
  return { ...channel, data: v.object(form.entries) };
}

/** A filter that keeps whole messages by one of their fields. */
export const filterBy = (name: string, field: string, values: v.GenericSchema<unknown, string>): Filtering => ({
  name,
  values,
  facets: (payload) => [String(dataOf(payload)[field])],
  narrow: (payload, wanted) => (wanted.includes(String(dataOf(payload)[field])) ? payload : null),
});

export const dataOf = (payload: object): Record<string, unknown> => (payload as { data: Record<string, unknown> }).data;

// --- fields ---------------------------------------------------------------------------------------------------

/** A name or a state: short, so that messages of state topics stay small. */
export const word = v.pipe(v.string(), v.maxLength(200));
export const prose = v.string();
export const percent = v.pipe(v.number(), v.finite(), v.minValue(0, 'expected 0 or more'), v.maxValue(1e6));

/** Free-form objects may be nested this deep, so that recursive readers do not overflow the stack. */
const MAX_DEPTH = 32;
const isShallow = (value: unknown, depth = 0): boolean =>
  typeof value !== 'object' || value === null || (depth < MAX_DEPTH && Object.values(value).every((one) => isShallow(one, depth + 1)));
export const freeForm = v.pipe(
  jsonObject,
  v.check((value) => isShallow(value), `expected no more than ${MAX_DEPTH} levels`),
);

/** What the channels of the operations monitor share: topic, envelope, who may see them, what a filter compares. */
import * as v from 'valibot';
import { eventTime, orderOf } from '../../base/ordering.ts';
import { isoOf } from '../../base/time.ts';
import { holdsRole, READ_OPERATIONS } from '../../identity.ts';
import { type Channel, type EventMeta, eventType, type Filtering, type History, instant, type Outcome, ownTime } from '../channel.ts';

const TOPIC_PREFIX = 'ops:';

/** `alert` → `ops:alert`. */
export const opsTopic = (type: string): string => TOPIC_PREFIX + type;
export const typeOfTopic = (topic: string): string => (topic.startsWith(TOPIC_PREFIX) ? topic.slice(TOPIC_PREFIX.length) : topic);

/** A log of operations holds at least so many messages, and those of at least so long. */
const HISTORY: History = { messages: 1_000, ms: 15 * 60_000, most: 30_000 };

/** A broadcast as stored. Its data is text: what upstreams put into free-form fields may be more than a table's types hold. */
interface Stored {
  readonly id: string;
  readonly timestamp: string;
  readonly json: string;
}

export interface OpsForm<Entries extends v.ObjectEntries> {
  /** The broadcast's type, and its topic without the prefix. */
  readonly type: string;
  readonly kind: Channel['kind'];
  /** Name of its events on the bus. */
  readonly detailType: string;
  /** What its `broadcast_id` begins with. */
  readonly idPrefix: string;
  /** The fields of `data`. */
  readonly entries: Entries;
  readonly filtering: Filtering | null;
  /** The data in parts, each small enough for a frame where that is possible. */
  readonly split?: (data: object) => readonly object[];
}

export function opsChannel<Entries extends v.ObjectEntries>(form: OpsForm<Entries>): Channel {
  const { type, kind, detailType, idPrefix, filtering, split = (data) => [data] } = form;
  const topic = opsTopic(type);
  const schema = v.object({ ...form.entries, timestamp: v.optional(instant) });

  const outcomes = ({ timestamp, ...data }: { timestamp?: string | undefined }, meta: EventMeta): Outcome[] => {
    const { atMicros, ahead } = eventTime(ownTime(timestamp, meta), meta.acceptedAtMs);
    const at = isoOf(Math.floor(atMicros / 1000));
    return split(data).map((part, index): Outcome => {
      const id = index === 0 ? meta.id : `${meta.id}.${index + 1}`;
      // a redelivery is split the same way: its parts keep their ids, and no publisher's own id looks like one
      const eventId = index === 0 ? meta.id : `${meta.id}\u001f${index + 1}`;
      const value: Stored = { id, timestamp: at, json: JSON.stringify(part) };
      if (kind === 'log') return { kind, topic, eventId, value, ahead };
      const order = orderOf({ atMicros, acceptedAtMs: meta.acceptedAtMs, index: meta.index, id });
      return { kind, topic, part: 'newest', order, value, recent: null, ahead };
    });
  };

  return {
    name: type,
    kind,
    source: 'ops.monitor',
    matches: (asked) => asked === topic,
    topicHint: topic,
    thinRecent: () => null,
    lifeMs: null,
    catalogued: false,
    events: { [detailType]: eventType(schema as v.GenericSchema<unknown, { timestamp?: string | undefined }>, outcomes) },
    payload({ parts }) {
      const { newest } = parts as { newest?: Stored };
      if (!newest) return null;
      return { type, data: JSON.parse(newest.json) as object, timestamp: newest.timestamp, broadcast_id: idPrefix + newest.id };
    },
    permitHint: `needs the role ${READ_OPERATIONS}`,
    permits: (_, principal) => holdsRole(principal, READ_OPERATIONS),
    keepsAlive: false,
    http: null,
    filtering,
    history: HISTORY,
    broadcast: topic,
  };
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

/** A name or a state: short, so that a state's message is. */
export const word = v.pipe(v.string(), v.maxLength(200));
export const prose = v.string();
export const percent = v.pipe(v.number(), v.finite(), v.minValue(0, 'expected 0 or more'), v.maxValue(1e6));

/** Free-form objects are nested no deeper than this: who reads them need not fear for its stack. */
const MAX_DEPTH = 32;
const isShallow = (value: unknown, depth = 0): boolean =>
  typeof value !== 'object' || value === null || (depth < MAX_DEPTH && Object.values(value).every((one) => isShallow(one, depth + 1)));
/** Taken as it is: a schema of ours would drop the names that the language knows. */
export const freeForm = v.pipe(
  v.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'expected an object'),
  v.check((value) => isShallow(value), `expected no more than ${MAX_DEPTH} levels`),
);

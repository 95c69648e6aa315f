import * as v from 'valibot';
import { byteLength } from '../../core/base/bytes.ts';
import { integer, wholeNumber } from '../../core/base/numbers.ts';
import { instant, optional } from '../../core/base/validation.ts';
import { MAX_INLINE_BYTES } from '../../core/names.ts';
import { dataOf, opsChannel, prose, word } from './ops-channel.ts';

const level = v.pipe(word, v.minLength(1, 'expected a level'), v.toUpperCase());

const entry = v.object({
  timestamp: instant,
  level,
  logger_name: optional(word, ''),
  message: prose,
  module: optional(word, ''),
  line_number: optional(integer, 0),
  thread_id: optional(word, ''),
  // where the line stands: readers that sort by both have the file whole
  file: optional(word),
  offset: optional(wholeNumber),
});
export type Entry = v.InferOutput<typeof entry>;

interface Log {
  readonly file_name: string;
  readonly entries: readonly Entry[];
  readonly total_new_entries?: number | undefined;
}

/** Room for the envelope. */
const ENVELOPE_BYTES = 4_000;

/** As few parts as possible, each small enough for a frame, in order. An entry that is too long by itself stays whole. */
function split(data: object): readonly object[] {
  const { file_name, entries, total_new_entries = entries.length } = data as Log;
  const parts: Entry[][] = [];
  let room = 0;
  for (const one of entries) {
    const bytes = byteLength(JSON.stringify(one)) + 1;
    if (bytes > room) {
      parts.push([]);
      room = MAX_INLINE_BYTES - ENVELOPE_BYTES;
    }
    parts.at(-1)?.push(one);
    room -= bytes;
  }
  if (parts.length <= 1) return [{ file_name, entries, total_new_entries }];
  return parts.map((part) => ({ file_name, entries: part, total_new_entries: part.length }));
}

const entriesOf = (payload: object): readonly Entry[] => (dataOf(payload) as unknown as Log).entries;

/** New lines of a log file. A filter drops lines; an update without lines is not sent. */
export const logUpdateChannel = opsChannel({
  type: 'log_update',
  kind: 'log',
  detailType: 'LogAppended',
  idPrefix: 'log_',
  split,
  list: 'entries',
  filtering: {
    name: 'log_levels',
    values: level,
    facets: (payload) => [...new Set(entriesOf(payload).map(({ level }) => level))],
    narrow(payload, wanted) {
      const entries = entriesOf(payload).filter(({ level }) => wanted.includes(level));
      if (entries.length === 0) return null;
      return { ...payload, data: { ...dataOf(payload), entries, total_new_entries: entries.length } };
    },
  },
  entries: {
    file_name: v.pipe(v.string(), v.maxLength(500)),
    entries: v.pipe(v.array(entry), v.minLength(1, 'expected at least one entry')),
    total_new_entries: optional(wholeNumber),
  },
});

/** A log line as an entry of `log_update`: level, logger, module, line number and thread, where the line has them. */
import type { Entry } from '../../log-update.ts';

/** Schemas of entries take names up to this length. */
const MAX_NAME = 200;
/** Lines without a level are read as this. */
const NO_LEVEL = 'INFO';

const LEVELS = 'TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE|ALERT|EMERGENCY|PANIC';
const LEVEL = new RegExp(`^[[(]?(${LEVELS})[\\])]?:?$`, 'i');
/** Pino and bunyan write levels as numbers. */
const NUMBERS: Readonly<Record<number, string>> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

const TIME = /^\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?\]?[,:]?\s*/;

/** The end of the year 9999: later years are written with a sign. */
const LAST_MS = Date.UTC(10_000, 0);

/** Words and characters of a line that are looked at for its level and so on; after that it is the message. */
const HEAD_WORDS = 6;
const HEAD_CHARS = 400;

/** @param readAt when the line was read, ISO 8601: the time of a line that has none */
export function entryOf(line: string, readAt: string): Entry {
  return fromJson(line, readAt) ?? fromText(line, readAt);
}

const name = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, MAX_NAME) : '');

function fromJson(line: string, readAt: string): Entry | null {
  if (!line.startsWith('{')) return null;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null; // a text that only begins like JSON
  }
  const first = (...names: string[]): unknown => names.map((one) => fields[one]).find((value) => value !== undefined && value !== null);
  const message = first('message', 'msg', 'event');
  if (message === undefined) return null;
  const level = first('level', 'levelname', 'severity', 'log.level');
  const number = Number(first('line_number', 'lineno', 'line'));
  return {
    timestamp: timeOf(first('timestamp', '@timestamp', 'time', 'ts', 'asctime')) ?? readAt,
    level: (typeof level === 'number' ? NUMBERS[level] : name(level).toUpperCase()) || NO_LEVEL,
    logger_name: name(first('logger_name', 'logger', 'name')),
    message: typeof message === 'string' ? message : JSON.stringify(message),
    module: name(first('module', 'filename', 'file')),
    line_number: Number.isSafeInteger(number) ? number : 0,
    thread_id: name(first('thread_id', 'threadName', 'thread', 'thread_name')),
  };
}

/** Seconds or milliseconds since 1970, or a text; `null` for what is no time. */
function timeOf(value: unknown): string | null {
  if (typeof value === 'string') return isoOf(TIME.exec(value)) ?? textTime(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  // seconds, milliseconds, microseconds, nanoseconds: each is a thousand times the one before
  const ms = value < 1e11 ? value * 1000 : value < 1e14 ? value : value < 1e17 ? value / 1e3 : value / 1e6;
  return ms > 0 && ms < LAST_MS ? new Date(ms).toISOString() : null;
}

const textTime = (text: string): string | null => (Number.isNaN(Date.parse(text)) ? null : new Date(text).toISOString());

/** Without a zone it is the machine's. */
function isoOf(match: RegExpExecArray | null): string | null {
  if (!match) return null;
  const [, day, time, fraction = '', zone = ''] = match;
  const at = new Date(`${day}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}${zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

function fromText(line: string, readAt: string): Entry {
  const time = TIME.exec(line);
  const rest = time ? line.slice(time[0].length) : line;
  const words = [...rest.slice(0, HEAD_CHARS).matchAll(/\S+/g)].slice(0, HEAD_WORDS);
  const at = words.findIndex(([word]) => LEVEL.test(word));
  const timestamp = isoOf(time) ?? readAt;
  const plain = { timestamp, level: NO_LEVEL, logger_name: '', module: '', line_number: 0, thread_id: '' };
  const word = words[at];
  // without a time or a bracket a word like "error" may just begin a sentence
  if (!word || (!time && at > 0 && !word[0].startsWith('['))) return { ...plain, message: rest || line };
  const level = (LEVEL.exec(word[0])?.[1] ?? NO_LEVEL).toUpperCase();
  const before = rest.slice(0, word.index).replace(/[-|\s]+$/, '');
  const after = rest.slice(word.index + word[0].length).replace(/^\s*[-|:]\s+|^\s+/, '');
  const head = headOf(after);
  const thread = /\[([^\]]+)\]/.exec(before)?.[1] ?? head.thread;
  const logger = before.replace(/\[[^\]]*\]/g, '').replace(/^[-|\s]+|[-|\s]+$/g, '') || head.logger;
  return {
    ...plain,
    level,
    logger_name: name(logger),
    module: name(head.module),
    line_number: head.number,
    thread_id: name(thread),
    message: head.message,
  };
}

interface Head {
  readonly logger: string;
  readonly thread: string;
  readonly module: string;
  readonly number: number;
  readonly message: string;
}

/** The words between the level and the message: `1234 --- [main] com.shop.App : `, `[main] com.shop.App - `, `app.py:42 - `, `app.jobs: `. */
function headOf(text: string): Head {
  const start = text.slice(0, HEAD_CHARS);
  const [all = '', thread = '', logger = ''] = /^(?:\d+ --- )?(?:\[([^\]]*)\]\s+)?([\w.$/-]+(?::\d+)?)\s*(?:: | - )/.exec(start) ?? [];
  const bare = all === '' ? (/^\[([^\]]*)\]\s+/.exec(start) ?? []) : [];
  const [, file = '', number = '0'] = /^(.+):(\d+)$/.exec(logger) ?? [];
  return {
    logger: file ? '' : logger,
    thread: (all === '' ? (bare[1] ?? '') : thread).trim(),
    module: file,
    number: Number.isSafeInteger(Number(number)) ? Number(number) : 0,
    message: text.slice((all || (bare[0] ?? '')).length),
  };
}

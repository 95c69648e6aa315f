import { randomUUID } from 'node:crypto';
import type { LocalClock } from '../base/clock.ts';

/** The fields of an event that rules match. */
export interface BusEvent {
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
}

export interface BusRule {
  readonly pattern: Readonly<Record<string, unknown>>;
  readonly targets: readonly ((body: string) => void)[];
}

/** `AWS::Events::EventBus`: every matching rule sends the event to its targets. */
export interface LocalBus {
  readonly name: string;
  /** Throws if the local run does not support the rule's pattern. */
  addRule(rule: BusRule): void;
  /** Returns the entry's result as `PutEvents` does. */
  put(entry: BusEntry): { EventId: string } | { ErrorCode: string; ErrorMessage: string };
}

export interface BusEntry {
  readonly Source?: unknown;
  readonly DetailType?: unknown;
  readonly Detail?: unknown;
  /** In seconds since 1970, checked before. */
  readonly Time?: unknown;
}

/** The platform's limit for the nesting of a detail. */
const MAX_DEPTH = 1_000;

export function localBus(name: string, clock: LocalClock): LocalBus {
  const rules: BusRule[] = [];
  return {
    name,
    addRule(rule) {
      checkPattern(rule.pattern);
      rules.push(rule);
    },
    put({ Source, DetailType, Detail, Time }) {
      if (![Source, DetailType, Detail].every((one) => typeof one === 'string' && one !== ''))
        return { ErrorCode: 'InvalidArgument', ErrorMessage: 'an entry needs Source, DetailType and Detail' };
      const detail = parseDetail(String(Detail));
      if (detail === null) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed' };
      const id = randomUUID();
      const event = {
        version: '0',
        id,
        'detail-type': String(DetailType),
        source: String(Source),
        account: '000000000000',
        // the platform keeps whole seconds
        time: new Date(typeof Time === 'number' ? Time * 1000 : clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z'),
        region: 'local',
        resources: [],
        detail,
      };
      const body = JSON.stringify(event);
      for (const rule of rules) if (matches(rule.pattern, event)) for (const target of rule.targets) target(body);
      return { EventId: id };
    },
  };
}

/** `null` if it is no JSON object, or nested too deeply. */
function parseDetail(text: string): object | null {
  let depth = 0;
  // a string that is not closed reaches to the end: otherwise each of its quotes would be tried as the start of another
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|[[{]|[\]}]/g)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > MAX_DEPTH) return null;
  }
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail : null;
  } catch {
    return null;
  }
}

/** Supports only the patterns that the template uses: fields with lists of exact strings. */
function checkPattern(pattern: Readonly<Record<string, unknown>>): void {
  for (const [field, wanted] of Object.entries(pattern)) {
    if (Array.isArray(wanted) && wanted.every((one) => typeof one === 'string')) continue;
    throw new Error(
      `the local run does not support this event pattern on ${field}: ${JSON.stringify(wanted)}; add it to local/resources/event-bus.ts`,
    );
  }
}

const matches = (pattern: Readonly<Record<string, unknown>>, event: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(pattern).every(([field, wanted]) => (wanted as unknown[]).includes(event[field]));

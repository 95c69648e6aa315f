/** Log lines of the functions, kept until they are published. */
export interface Journal {
  note(name: string, line: string): void;
  /** Removes and returns the entries so far, oldest first. */
  take(): Record<string, unknown>[];
}

/** Functions that serve clients. Others are left out: to publish their lines would make them log again, without end. */
const CLIENT_FUNCTIONS: ReadonlySet<string> = new Set(['ws-connect', 'ws-message', 'ws-disconnect', 'sweep', 'sse']);
/** Further lines are dropped until the entries are taken. */
const MAX_ENTRIES = 100;
const MAX_TEXT = 160;

/** Fields of a line that are appended to its message. */
const FACTS = ['clientId', 'topics', 'topic', 'reason', 'dialect', 'connections'] as const;

export function makeJournal(): Journal {
  let entries: Record<string, unknown>[] = [];
  return {
    note(name, line) {
      const entry = CLIENT_FUNCTIONS.has(name) && entries.length < MAX_ENTRIES ? entryOf(name, line) : null;
      if (entry) entries.push(entry);
    },
    take() {
      const taken = entries;
      entries = [];
      return taken;
    },
  };
}

function entryOf(name: string, line: string): Record<string, unknown> | null {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  // metrics are log lines too, and have no message
  if (typeof fields['message'] !== 'string' || typeof fields['timestamp'] !== 'string') return null;
  const facts = FACTS.flatMap((fact) => (fields[fact] === undefined ? [] : [`${fact} ${JSON.stringify(fields[fact])}`]));
  return {
    timestamp: fields['timestamp'],
    level: String(fields['level'] ?? 'INFO'),
    logger_name: name,
    message: [fields['message'], ...facts].join(' · ').slice(0, MAX_TEXT),
    module: `${name}.ts`,
  };
}

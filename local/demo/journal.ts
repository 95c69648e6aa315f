/** Log lines of the functions, kept until they are published. */
export interface Journal {
  note(name: string, line: string): void;
  /** What came since, oldest first. */
  take(): Record<string, unknown>[];
}

/** Those whose lines tell of clients. Those that publishing itself sets to work would tell of this for ever. */
const TOLD_OF: ReadonlySet<string> = new Set(['ws-connect', 'ws-message', 'ws-disconnect', 'sweep', 'sse']);
/** More than so many lines at a time nobody reads. */
const MOST = 100;
const MAX_TEXT = 160;

/** What a line says besides. */
const FACTS = ['clientId', 'topics', 'topic', 'reason', 'dialect', 'connections'] as const;

export function makeJournal(): Journal {
  let entries: Record<string, unknown>[] = [];
  return {
    note(name, line) {
      const entry = TOLD_OF.has(name) && entries.length < MOST ? entryOf(name, line) : null;
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
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  // metrics are lines too, without a message
  if (typeof said['message'] !== 'string' || typeof said['timestamp'] !== 'string') return null;
  const facts = FACTS.flatMap((fact) => (said[fact] === undefined ? [] : [`${fact} ${JSON.stringify(said[fact])}`]));
  return {
    timestamp: said['timestamp'],
    level: String(said['level'] ?? 'INFO'),
    logger_name: name,
    message: [said['message'], ...facts].join(' · ').slice(0, MAX_TEXT),
    module: `${name}.ts`,
  };
}

/** An event's way, told from the lines that the functions log of it: accepted, committed or why not, delivered. */
import { parsePosition } from '../base/position.ts';

export interface LogLine {
  readonly atMs: number;
  /** JSON, as the functions write it. */
  readonly text: string;
}

/** The fate of an event in one topic. */
interface Told {
  readonly id: string;
  readonly topic: string;
  readonly position: string | null;
  readonly heard: boolean;
}

/** A line of the story. */
export interface Step {
  readonly atMs: number;
  readonly text: string;
}

interface Entry {
  readonly message?: string;
  readonly [field: string]: unknown;
}

const entryOf = ({ text }: LogLine): Entry => JSON.parse(text) as Entry;

/** The topics in which an event was committed, with the offset that it took there. */
export function committedIn(id: string, lines: readonly LogLine[]): Map<string, { readonly offset: number; readonly atMs: number }> {
  const found = new Map<string, { offset: number; atMs: number }>();
  for (const line of lines) {
    const entry = entryOf(line);
    if (entry.message !== 'committed') continue;
    for (const one of entry['events'] as readonly Told[]) {
      const position = one.id === id && one.position ? parsePosition(one.position) : null;
      if (position && !found.has(one.topic)) found.set(one.topic, { offset: position.offset, atMs: line.atMs });
    }
  }
  return found;
}

/**
 * The story of an event, in order.
 * @param lines those that name the event
 * @param deliveries those that name a topic in which it was committed
 */
export function storyOf(id: string, lines: readonly LogLine[], deliveries: readonly LogLine[]): Step[] {
  const steps = lines.flatMap((line) => ownSteps(id, line));
  for (const [topic, { offset, atMs }] of committedIn(id, lines)) steps.push(...deliverySteps(topic, offset, atMs, deliveries));
  return steps.sort((one, other) => one.atMs - other.atMs);
}

function ownSteps(id: string, line: LogLine): Step[] {
  const entry = entryOf(line);
  const { atMs } = line;
  const step = (text: string): Step => ({ atMs, text });
  const known = (name: string): readonly { readonly id?: string; readonly reason?: string }[] => (entry[name] ?? []) as [];
  switch (entry.message ?? '') {
    case 'accepted': {
      const accepted = (entry['ids'] as readonly string[]).includes(id) ? [step(`accepted, on the lane ${String(entry['lane'])}`)] : [];
      const refused = known('rejected').filter((one) => one.id === id);
      return [...accepted, ...refused.map(({ reason }) => step(`rejected: ${reason}`))];
    }
    case 'an invalid event was buried':
      return entry['id'] === id ? [step(`invalid, and in the dead letters: ${String(entry['reason'])}`)] : [];
    case 'committed':
      return (entry['events'] as readonly (Told & { readonly topics?: number; readonly committed?: number })[])
        .filter((one) => one.id === id)
        .map((one) => step(committedText(one)));
    default:
      return [];
  }
}

function committedText({
  topic,
  topics,
  committed,
  position,
  heard,
}: Told & { readonly topics?: number; readonly committed?: number }): string {
  if (topics !== undefined)
    return `committed in ${committed} of ${topics} topics; in the others it was older than what is there, or the same`;
  if (position === null) return `${topic}: not committed, older than what is there, or the same`;
  return `${topic}: committed as ${position}${heard ? '' : '; nobody is subscribed'}`;
}

/** The deliveries of a message: by the first drain that reached it, and by later ones to clients that were throttled before. */
function deliverySteps(topic: string, offset: number, sinceMs: number, deliveries: readonly LogLine[]): Step[] {
  const inOrder = [...deliveries].sort((one, other) => one.atMs - other.atMs);
  const reached = inOrder.flatMap((line) => {
    const entry = entryOf(line) as { message?: string; topic?: string; head?: number; posts?: number; gone?: number; slow?: number };
    const ours = entry.message === 'delivered' && entry.topic === topic && (entry.head ?? 0) >= offset && line.atMs >= sinceMs;
    return ours ? [{ ...entry, atMs: line.atMs }] : [];
  });
  const [first, ...later] = reached;
  if (!first) return [];
  const text = ({ head = 0, posts = 0, gone = 0, slow = 0 }: typeof first): string =>
    [
      `${topic}: ${posts} posted`,
      gone > 0 ? `${gone} gone` : '',
      slow > 0 ? `${slow} throttled, and late` : '',
      head > offset ? `with what came after it, up to ${head}` : '',
    ]
      .filter((part) => part !== '')
      .join(', ');
  // those who were late get it by a later drain
  const until = later.findIndex(({ slow = 0 }) => slow === 0);
  const owed = (first.slow ?? 0) > 0 ? later.slice(0, until === -1 ? later.length : until + 1) : [];
  return [first, ...owed].map((one) => ({ atMs: one.atMs, text: text(one) }));
}

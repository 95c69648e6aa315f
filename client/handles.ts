/** Makes the handles of `watch` and `follow`. */
import type { Connection } from './connection-form.ts';
import { ClientError, errorOf } from './errors.ts';
import { createFollower, type Follower, type FollowerForm, type Wire } from './follower.ts';
import { broadcastOf, isKnownState } from './known.ts';
import type { FollowOptions, Handle, HandleStatus } from './options.ts';
import { parsePosition } from './position.ts';
import { resume, setDenied, startFew, type Topic, type Topics, topicOf } from './topics.ts';

const DEFAULT_LIMIT = 1_000;
const MOST_LAST = 1_000;

export interface HandlePorts {
  readonly topics: Topics;
  readonly connection: Pick<Connection, 'sync' | 'status' | 'socket' | 'caughtUp'>;
  failed(error: ClientError): void;
  /** Hands a message to `deliver`, whole. */
  deliver(message: Wire, deliver: (message: Wire) => unknown, failed: (error: unknown) => void): unknown;
}

export interface FollowerWish extends Pick<FollowerForm, 'conflates' | 'onChange'> {
  readonly isPulled?: boolean;
  deliver(message: Wire): unknown;
}

/** Adds a follower, and makes `target` its handle. Throws a ClientError if an option is wrong. */
export function addFollower<Target extends object>(
  target: Target,
  name: string,
  { conflates, isPulled = false, deliver, onChange }: FollowerWish,
  options: FollowOptions,
  { topics, connection, ...ports }: HandlePorts,
): { readonly handle: Target & Handle; readonly follower: Follower } {
  const {
    signal,
    last = null,
    limit = DEFAULT_LIMIT,
    onGap = nothing,
    onRecovered = nothing,
    filter: wanted,
    since: start,
    ...unknown
  } = options;
  refuse(unknown);
  const filter = filterOf(wanted);
  const since = parsePosition(start);
  const isKnown = isKnownState(name);
  const isState = conflates || isKnown;
  const topic = topicOf(name, topics);
  check(topic, { filter, since, last }, start);
  const failed = (error: unknown): void =>
    ports.failed(
      error instanceof ClientError
        ? error
        : new ClientError('HANDLER', `the handler of ${name} failed: ${errorOf(error).message}`, { topics: [name], cause: error }),
    );
  const follower = createFollower({
    conflates,
    isState,
    isKnown,
    isPulled,
    whole: !isState && filter === null,
    filter,
    since,
    // the newest message of a log, or of a topic of your own that may be one; a state comes anyway
    last: conflates && !isKnown ? 1 : last,
    limit,
    deliver: (message) => ports.deliver(message, deliver, failed),
    onGap: guarded(onGap, failed),
    onRecovered: guarded(onRecovered, failed),
    onChange,
    failed,
    filled: connection.sync,
    drained() {
      resume(topic);
      connection.sync();
    },
  });
  const close = (): void => {
    if (follower.closed) return;
    follower.closed = true;
    topic.followers.delete(follower);
    // whoever watches it later must not get what is old by then
    if (topic.followers.size === 0) topic.newest = topic.head = null;
    signal?.removeEventListener('abort', close);
    onChange();
    connection.sync();
  };
  join(follower, topic, connection.socket !== null);
  connection.sync();
  signal?.addEventListener('abort', close);
  if (signal?.aborted) close();
  const handle = Object.defineProperties(target, {
    topic: { value: name, enumerable: true },
    status: { get: () => statusOf(follower, topic, connection), enumerable: true },
    position: { get: () => follower.handed?.text ?? null, enumerable: true },
    close: { value: close },
  }) as Target & Handle;
  return { handle, follower };
}

/** Options that are left over are misspelt. */
export function refuse(unknown: object): void {
  for (const name in unknown) throw new ClientError('BAD_OPTION', `${name}: there is no such option`, { fatal: true });
}

const nothing = (): void => undefined;

/** A callback that throws keeps nothing from others. */
const guarded =
  <Value>(work: (value: Value) => void, failed: (error: unknown) => void) =>
  (value: Value): void => {
    try {
      work(value);
    } catch (error) {
      failed(error);
    }
  };

/** A follower that comes to a topic which others have already. */
function join(follower: Follower, topic: Topic, isConnected: boolean): void {
  const others = topic.followers.size > 0;
  topic.followers.add(follower);
  if (topic.denied) {
    setDenied(topic, null);
    resume(topic);
  }
  const { conflates, since } = follower.form;
  // the server may still have what the last follower left: it is asked anew
  if (!others) topic.version++;
  else if (conflates) {
    follower.last = null;
    // not before the caller has its handle
    queueMicrotask(() => {
      const { newest } = topic;
      if (newest && follower.received === null) follower.take(newest.message, newest.position);
    });
  } else if (since) resume(topic);
  else if (follower.last && topic.head) {
    startFew(follower, topic.head);
    resume(topic);
  } else if (isConnected && !follower.last) follower.received = topic.head;
}

function statusOf({ closed, denied, on }: Follower, { name }: Topic, connection: HandlePorts['connection']): HandleStatus {
  const { status } = connection;
  if (closed) return 'closed';
  if (denied || status === 'denied') return 'denied';
  if (connection.caughtUp(name)) return 'live';
  return on && status !== 'closed' ? 'recovering' : 'pending';
}

/** Lists in one order: equal filters are equal texts. An empty list does not filter. */
function filterOf(filter: FollowOptions['filter']): FollowerForm['filter'] {
  const entries = Object.entries(filter ?? {}).filter(([, values]) => values.length > 0);
  return entries.length === 0 ? null : Object.fromEntries(entries.sort().map(([name, values]) => [name, [...values].sort()]));
}

function check({ name, followers }: Topic, { filter, since, last }: Pick<FollowerForm, 'filter' | 'since' | 'last'>, start: unknown): void {
  // the server keeps one filter for a topic and connection
  const [other] = followers;
  const wrong =
    (!(name?.length > 0 && name.length <= 200 && name.trim) && 'expected 1 to 200 characters') ||
    (start != null && !since && `since: expected a position, epoch-offset, got ${JSON.stringify(start)}`) ||
    (last !== null &&
      (since || !(Number.isInteger(last) && last >= 1 && last <= MOST_LAST)) &&
      `last: expected 1 to ${MOST_LAST}, without since`) ||
    (filter && broadcastOf(name) === null && 'filter: only for ops:…') ||
    (other && JSON.stringify(other.form.filter) !== JSON.stringify(filter) && 'filter: the client has another one for this topic');
  if (wrong) throw new ClientError('BAD_OPTION', `${name}: ${wrong}`, { fatal: true, topics: [name] });
}

/** Topics as stores that a user interface reads: shared by all who read the same, and let go when nobody does. */
import { ClientError } from './errors.ts';
import type { AnyMessage } from './messages.ts';
import type { Client, FollowOptions, Handle } from './options.ts';

export interface Store<Value> {
  /** Returns what ends it. */
  subscribe(listener: () => void): () => void;
  /** The same value until it changes. */
  snapshot(): Value;
}

/** A hidden page draws no frames: its readers are told by a timer. */
const AT_LATEST_MS = 100;

/** Tells readers at most once a frame, however fast messages come. */
function onceAFrame(work: () => void): () => void {
  const { requestAnimationFrame: frame } = globalThis as { requestAnimationFrame?: (callback: () => void) => unknown };
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    const go = (): void => {
      if (!waiting) return;
      waiting = false;
      clearTimeout(timer);
      work();
    };
    const timer = setTimeout(go, frame ? AT_LATEST_MS : 0);
    frame?.(go);
  };
}

/** A store over a handle that is opened for its first reader, and closed a macrotask after its last: a remount keeps it. */
function storeOf<Value>(open: (tell: () => void) => Handle, snapshot: () => Value): Store<Value> {
  const readers = new Set<() => void>();
  let handle: Handle | null = null;
  const tell = onceAFrame(() => {
    for (const reader of [...readers]) reader();
  });
  /** A reader whose filter changed leaves its old one a macrotask later: until then the topic is taken. */
  const openSoon = (): void => {
    try {
      handle = open(tell);
    } catch (error) {
      if (!(error instanceof ClientError && /filter/.test(error.message))) throw error;
      setTimeout(() => {
        if (readers.size > 0) handle ??= open(tell);
      });
    }
  };
  return {
    snapshot,
    subscribe(listener) {
      // one reader may subscribe the same function twice
      const reader = (): void => listener();
      readers.add(reader);
      if (!handle) openSoon();
      return () => {
        readers.delete(reader);
        setTimeout(() => {
          if (readers.size > 0 || !handle) return;
          handle.close();
          handle = null;
        });
      };
    },
  };
}

const known = new WeakMap<Client, Map<string, Store<unknown>>>();

function shared<Value>(client: Client, key: string, make: () => Store<Value>): Store<Value> {
  const stores = known.get(client) ?? new Map<string, Store<unknown>>();
  known.set(client, stores);
  const there = stores.get(key) as Store<Value> | undefined;
  if (there) return there;
  const made = make();
  stores.set(key, made);
  return made;
}

/** The newest message of a state topic; `undefined` until there is one. */
export const latestStore = (client: Client, topic: string): Store<AnyMessage | undefined> =>
  shared(client, `latest ${topic}`, () => {
    let newest: AnyMessage | undefined;
    const open = (tell: () => void) => {
      newest = undefined;
      return client.watch(topic, (message) => {
        newest = message as AnyMessage;
        tell();
      });
    };
    return storeOf(open, () => newest);
  });

export interface LogOptions extends Pick<FollowOptions, 'since' | 'last' | 'filter'> {
  /** The newest messages that are kept. @default 100 */
  readonly keep?: number;
}

const NONE: readonly AnyMessage[] = [];

/** The newest messages of a log topic, oldest first. */
export const logStore = (client: Client, topic: string, { keep = 100, ...options }: LogOptions): Store<readonly AnyMessage[]> =>
  shared(client, `log ${topic} ${JSON.stringify([keep, options])}`, () => {
    let kept = NONE;
    const open = (tell: () => void) => {
      kept = NONE;
      return client.follow(
        topic,
        (message) => {
          kept = [...kept.slice(Math.max(0, kept.length + 1 - keep)), message as AnyMessage];
          tell();
        },
        options,
      );
    };
    return storeOf(open, () => kept);
  });

const retained = new WeakMap<Client, number>();

/** Starts a client for its first user, and closes it a macrotask after its last. Returns what lets it go. */
export function retain(client: Client): () => void {
  retained.set(client, (retained.get(client) ?? 0) + 1);
  client.start();
  return () => {
    setTimeout(() => {
      const left = (retained.get(client) ?? 1) - 1;
      retained.set(client, left);
      if (left === 0) client.close();
    });
  };
}

/**
 * One `watch` or `follow`: takes what comes of its topic, each message once and in order, and hands it to its handler one at
 * a time. Nothing grows without bound: a watch keeps only the newest; a log that is full takes nothing more until its
 * handler has caught up, and is then fed again from its position.
 */
import type { ClientError } from './errors.ts';
import type { Position } from './position.ts';

/** A message as it comes over the wire. */
export type Wire = Record<string, unknown>;

export interface Gap {
  /** The last position before the gap. */
  readonly since: string;
  /** Delivery goes on after this one; `null` = with the message that comes next. */
  readonly from: string | null;
}

export interface FollowerForm {
  /** Only the newest counts. */
  readonly conflates: boolean;
  /** Of a state topic: its newest message comes although it is older than the subscription. */
  readonly isState: boolean;
  /** Of a state topic that every deployment has. */
  readonly isKnown: boolean;
  /** Its position is set by whoever takes the message, and not as it is handed over. */
  readonly isPulled: boolean;
  /** Its offsets count up one by one: what is skipped is missing. */
  readonly whole: boolean;
  /** A filter of the topic, by name. */
  readonly filter: Readonly<Record<string, readonly string[]>> | null;
  readonly since: Position | null;
  readonly last: number | null;
  /** Messages that wait for the handler. */
  readonly limit: number;
  /** Hands a message over. What it returns is waited for. */
  deliver(message: Wire): unknown;
  onGap(gap: Gap): void;
  onRecovered(since: string): void;
  onChange(): void;
  /** Its handler threw. */
  failed(error: unknown): void;
  /** It takes no more: the server need not send it. */
  filled(): void;
  /** It was full, and takes messages again. */
  drained(): void;
}

export interface Follower {
  readonly form: FollowerForm;
  /** Everything up to here was taken. */
  received: Position | null;
  /** Everything up to here was handed over. */
  handed: Position | null;
  /** The newest so many are still asked for. */
  last: number | null;
  /** Its position is only where the newest few begin. */
  isFew: boolean;
  /** The subscriptions that it was last subscribed by; `null` = it was not yet. */
  on: object | null;
  full: boolean;
  closed: boolean;
  denied: ClientError | null;
  /** `position` is null for a message that is delivered again although nothing is new. */
  take(message: Wire, position: Position | null): void;
}

interface Waiting {
  readonly message: Wire;
  readonly position: Position | null;
}

export function createFollower(form: FollowerForm): Follower {
  const queue: Waiting[] = [];
  let busy = false;
  const follower: Follower = {
    form,
    received: form.since,
    handed: form.since,
    last: form.last,
    isFew: false,
    on: null,
    full: false,
    closed: false,
    denied: null,
    take(message, position) {
      if (follower.closed || follower.full) return;
      if (form.conflates) queue.length = 0;
      queue.push({ message, position });
      if (position) follower.received = position;
      pump();
      if (form.conflates || queue.length < form.limit) return;
      follower.full = true;
      form.filled();
    },
  };
  const pump = (): void => {
    if (busy) return;
    busy = true;
    for (let next = queue.shift(); next && !follower.closed; next = queue.shift()) {
      // first: a handler that subscribes again, or throws, finds the state as it is
      if (next.position && !form.isPulled) follower.handed = next.position;
      try {
        const done = form.deliver(next.message);
        if (isPromise(done)) {
          void done.then(undefined, form.failed).then(resume);
          return;
        }
      } catch (error) {
        form.failed(error);
      }
    }
    busy = false;
    if (!follower.full || follower.closed) return;
    follower.full = false;
    form.drained();
  };
  const resume = (): void => {
    busy = false;
    pump();
  };
  return follower;
}

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

import { createHash, randomUUID } from 'node:crypto';
import type { LocalClock } from '../base/clock.ts';
import type { Levers } from '../base/levers.ts';
import { durableMap } from './durable-map.ts';

/**
 * A standard `AWS::SQS::Queue`: at-least-once delivery in no order, with visibility timeout and dead-letter queue; in memory,
 * or in a file that outlives the run.
 */
export interface LocalQueue {
  readonly name: string;
  send(body: string, options?: SendOptions): { messageId: string; md5: string };
  /**
   * Returns up to `limit` visible messages, and hides them for the visibility timeout. A message that was received
   * `maxReceives` times before moves to the dead-letter queue instead. `hiddenSeconds`: instead of the queue's visibility timeout.
   */
  receive(limit: number, hiddenSeconds?: number): Received[];
  delete(messageId: string): void;
  /** Its dead-letter queue; `null` = it has none. */
  dead(): LocalQueue | null;
  /** Moves a message to the dead-letter queue, if there is one. */
  bury(messageId: string): void;
  /** Shows the messages of an earlier run. */
  restore(): void;
  /** Called when a message becomes visible. */
  onVisible: (() => void) | null;
  /** Number of messages, visible or not. */
  size(): number;
  /** Number of messages that can be received now. */
  visible(): number;
  /** All messages, visible or not, without receiving them. */
  peek(): readonly Received[];
}

export interface SendOptions {
  readonly delaySeconds?: number;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** The sender's trace header, which counts how often each function was invoked on the way here. */
  readonly trace?: string;
}

export interface Received {
  readonly messageId: string;
  readonly body: string;
  readonly receives: number;
  readonly sentAtMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly trace: string;
}

export interface QueueOptions {
  readonly name: string;
  /** `null` = in memory. */
  readonly file: string | null;
  readonly visibilitySeconds: number;
  readonly maxReceives: number;
  /** The dead-letter queue; `null` if there is none. */
  readonly dead: () => LocalQueue | null;
  readonly clock: LocalClock;
  readonly warn: (message: string) => void;
}

/** Receive counts are not kept: they start again with each run. */
type Message = Omit<Received, 'receives'> & { readonly visibleAtMs: number };

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' &&
  value !== null &&
  ['messageId', 'body'].every((field) => typeof (value as Record<string, unknown>)[field] === 'string');

export function localQueue({ name, file, visibilitySeconds, maxReceives, dead, clock, warn }: QueueOptions): LocalQueue {
  const kept = durableMap(file, isMessage);
  const messages = kept.items;
  const earlier = [...messages.values()];
  const receives = new Map<string, number>();
  const cancels = new Map<string, () => void>();
  const visible = new Set<string>();
  const show = (messageId: string): void => {
    if (!messages.has(messageId)) return;
    visible.add(messageId);
    queue.onVisible?.();
  };
  /** A message that cannot be moved, such as to a full disk, stays, and is tried again when it is visible. */
  const tryToBury = (messageId: string): void => {
    try {
      queue.bury(messageId);
    } catch (error) {
      warn(`${name}: a message could not be moved to the dead letters: ${String(error)}`);
    }
  };
  const queue: LocalQueue = {
    name,
    onVisible: null,
    send(body, { delaySeconds = 0, attributes = {}, trace = '' } = {}) {
      const messageId = randomUUID();
      const sentAtMs = clock.now();
      kept.put(messageId, { messageId, body, sentAtMs, attributes, trace, visibleAtMs: sentAtMs + delaySeconds * 1000 });
      if (delaySeconds > 0) clock.after(delaySeconds * 1000, () => show(messageId));
      else show(messageId);
      return { messageId, md5: createHash('md5').update(body).digest('hex') };
    },
    receive(limit, hiddenSeconds = visibilitySeconds) {
      const batch: Received[] = [];
      for (const messageId of visible) {
        if (batch.length === limit) break;
        visible.delete(messageId);
        const message = messages.get(messageId) as Message;
        const times = (receives.get(messageId) ?? 0) + 1;
        receives.set(messageId, times);
        cancels.set(
          messageId,
          clock.after(hiddenSeconds * 1000, () => show(messageId)),
        );
        if (times > maxReceives) {
          tryToBury(messageId);
          continue;
        }
        batch.push({ ...message, receives: times });
      }
      return batch;
    },
    delete(messageId) {
      kept.remove(messageId);
      receives.delete(messageId);
      cancels.get(messageId)?.();
      cancels.delete(messageId);
      visible.delete(messageId);
    },
    dead,
    bury(messageId) {
      const message = messages.get(messageId);
      if (!message) return;
      dead()?.send(message.body, { attributes: message.attributes });
      queue.delete(messageId);
    },
    restore() {
      for (const { messageId, visibleAtMs } of earlier.splice(0)) clock.after(visibleAtMs - clock.now(), () => show(messageId));
    },
    size: () => messages.size,
    visible: () => visible.size,
    peek: () => [...messages.values()].map((message) => ({ ...message, receives: receives.get(message.messageId) ?? 0 })),
  };
  return queue;
}

/** Sends a message, twice or late if the levers ask for it. */
export function deliverAtLeastOnce(send: () => void, levers: Levers, clock: LocalClock): void {
  const times = levers.random() < levers.duplicateEvents ? 2 : 1;
  for (let time = 0; time < times; time++) {
    if (levers.reorderEventsMs > 0) clock.after(levers.random() * levers.reorderEventsMs, send);
    else send();
  }
}

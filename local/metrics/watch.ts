/** Takes the metrics that are states and not events, once a minute, and has the alarms look at all. */
import type { LocalClock } from '../base/clock.ts';
import type { LocalQueue } from '../resources/queue.ts';
import type { LocalAlarm, LocalAlarms } from './alarms.ts';
import { type MetricStore, MINUTE_MS } from './store.ts';

/** A machine that slept, or a test that set the clock, leaves minutes that nobody saw: alarms start anew after so many. */
const UNSEEN_MINUTES = 2;

export interface WatchOptions {
  readonly clock: LocalClock;
  readonly queues: ReadonlyMap<string, LocalQueue>;
  /** Throttled writes so far, by table. */
  readonly throttledWrites: () => Promise<Readonly<Record<string, number>>>;
  readonly store: MetricStore;
  readonly alarms: LocalAlarms;
  readonly changed: (alarm: LocalAlarm) => void;
}

export function watchMetrics({ clock, queues, throttledWrites, store, alarms, changed }: WatchOptions): void {
  const throttledBefore: Record<string, number> = {};
  const sample = async (atMs: number): Promise<void> => {
    for (const [QueueName, queue] of queues) {
      const add = (name: string, value: number): void => store.add('AWS/SQS', name, { QueueName }, value, atMs);
      add('ApproximateNumberOfMessagesVisible', queue.visible());
      add('ApproximateNumberOfMessagesNotVisible', queue.size() - queue.visible());
      const sent = queue.peek().map(({ sentAtMs }) => sentAtMs);
      add('ApproximateAgeOfOldestMessage', sent.length === 0 ? 0 : (clock.now() - Math.min(...sent)) / 1000);
    }
    for (const [TableName, count] of Object.entries(await throttledWrites())) {
      const more = count - (throttledBefore[TableName] ?? 0);
      throttledBefore[TableName] = count;
      if (more > 0) store.add('AWS/DynamoDB', 'WriteThrottleEvents', { TableName }, more, atMs);
    }
  };
  let seen = 0;
  let beforeMs = clock.now();
  const next = (): void =>
    void clock.after(MINUTE_MS - (clock.now() % MINUTE_MS), () => {
      const nowMs = clock.now();
      seen = nowMs - beforeMs > UNSEEN_MINUTES * MINUTE_MS ? 0 : seen + 1;
      beforeMs = nowMs;
      next();
      // the states are those of the minute that ends
      void sample(nowMs - 1).then(() => {
        if (seen > UNSEEN_MINUTES) for (const alarm of alarms.evaluate(nowMs)) changed(alarm);
      });
    });
  next();
}

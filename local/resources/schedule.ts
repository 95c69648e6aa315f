import type { LocalClock } from '../base/clock.ts';
import type { LocalFunction } from './function.ts';

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** An `AWS::Events::Rule` with a schedule: invokes its function at that rate. */
export function schedule(expression: string, fn: LocalFunction, clock: LocalClock, warn: (message: string) => void): void {
  const match = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (!match) throw new Error(`the local run does not support the schedule ${expression}: add it to local/resources/schedule.ts`);
  const everyMs = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
  const next = (): void => {
    clock.after(everyMs, () => {
      next();
      fn.invoke({ source: 'aws.events', 'detail-type': 'Scheduled Event', time: new Date(clock.now()).toISOString(), detail: {} }).catch(
        (error: Error) => {
          warn(`${fn.name}: ${error.message}`);
        },
      );
    });
  };
  next();
}

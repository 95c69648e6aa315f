/** Throttled consumers: each is passed over for a while that grows, and closed if it falls too far behind. */
import { BEFORE_ALL } from '../base/position.ts';
import { closeWithError } from '../connections/close-with-error.ts';
import { PushError } from '../errors.ts';
import type { Subscription } from '../ports/audience.ts';
import type { DeliverPorts } from './run.ts';

/** 1 s, 2 s, 4 s … a minute. */
const backoffMs = (strikes: number): number => Math.min(1000 * 2 ** strikes, 60_000);

/**
 * Passes a consumer over. `missing.from`: it lacks what is after this offset; `null` = a repeat failed, so it lacks the
 * newest although it has its offset.
 */
export async function passOver(
  subscription: Subscription,
  missing: { readonly from: number | null; readonly behind: number },
  maxBehind: number,
  ports: DeliverPorts,
): Promise<void> {
  if (missing.behind > maxBehind) return closeTooFarBehind(subscription, ports);
  const { audience, jobs, clock, report, newId } = ports;
  const { topic, shard, connectionId, strikes } = subscription;
  const waitMs = backoffMs(strikes);
  report.warn('a consumer is slow and is passed over', { topic, connectionId, waitMs });
  // the job comes before the mark: a crash in between would leave a late subscription that no job comes back for
  await jobs.put({ kind: 'drain', topic, shard }, Math.ceil(waitMs / 1000) + 1);
  const throttled = { notBeforeMs: clock.now() + waitMs, strikes: strikes + 1, mark: newId() };
  await audience.passOver(subscription, missing.from ?? BEFORE_ALL, throttled);
}

/** The consumer would only fall further behind: it should reconnect with its position. */
async function closeTooFarBehind({ topic, connectionId, dialect }: Subscription, ports: DeliverPorts): Promise<void> {
  ports.report.warn('a consumer is too far behind and is closed', { topic, connectionId });
  const reason = new PushError('RATE_LIMIT_EXCEEDED', `too far behind on ${topic}: connect again, with the position of the last message`, {
    topic,
  });
  await closeWithError({ connectionId, dialect }, reason, ports);
}

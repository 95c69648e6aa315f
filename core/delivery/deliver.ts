/** Delivers a backlog to the audience. Each subscription takes three steps: post, catch up, settle. */
import { bounded, readAhead } from '../base/concurrency.ts';
import { disconnect } from '../connections/disconnect.ts';
import type { Subscription } from '../ports/audience.ts';
import type { Frame } from '../protocol/encode.ts';
import type { Backlog } from './backlog.ts';
import { useRegistration } from './registrations.ts';
import { type DeliverPorts, MAX_RUN_MS, type Run } from './run.ts';
import { passOver } from './slow-consumers.ts';

/** How far one subscription has come. */
interface Progress {
  /** It has everything up to this offset. */
  last: number;
  /** The subscription as this worker last saw it in the table. */
  seen: Subscription;
  sent: number;
}

/** Delivers to each subscription what it lacks. Returns the number of posts; the run counts who was gone, and who was throttled. */
export async function deliverToAudience(run: Run, backlog: Backlog, postsAtOnce: number, ports: DeliverPorts): Promise<number> {
  let sent = 0;
  for await (const page of readAhead(ports.audience.pages(run.topic, run.shard))) {
    await bounded(page, postsAtOnce, async (subscription) => {
      const posts = await deliver(subscription, run, backlog, ports);
      // added in one step: others are delivered to in the meantime
      sent += posts;
    });
  }
  return sent;
}

async function deliver(subscription: Subscription, run: Run, backlog: Backlog, ports: DeliverPorts): Promise<number> {
  if (subscription.notBeforeMs > ports.clock.now()) return 0;
  const { late, from } = subscription;
  const progress: Progress = { last: late !== null ? from : Math.max(backlog.from, from), seen: subscription, sent: 0 };
  for (;;) {
    const { frames, upTo, more } = await backlog.after(progress.last, subscription);
    if (!(await postAll(frames, subscription, progress, run, backlog, ports))) return progress.sent;
    // a page of which nothing passed the filter counts as delivered too
    progress.last = Math.max(progress.last, upTo);
    if (!more) break;
    if (late !== null && !(await catchUp(progress, run, ports))) return progress.sent;
  }
  await settle(progress, run, backlog, ports);
  return progress.sent;
}

/** Posts frames in order. False if the subscription gets no more in this run: its connection is gone, or throttled. */
async function postAll(
  frames: readonly Frame[],
  subscription: Subscription,
  progress: Progress,
  run: Run,
  backlog: Backlog,
  ports: DeliverPorts,
): Promise<boolean> {
  const { connectionId, subscriptionId } = subscription;
  for (const { textFor, offset, repeated } of frames) {
    const text = textFor(subscription);
    if (text === null) continue;
    const result = await ports.gateway.post(connectionId, text, async () => {
      await run.turn.hold();
      run.reached.set(`${connectionId}#${subscriptionId}`, subscription);
    });
    if (result === 'gone') {
      run.gone++;
      await ports.audience.remove(subscription);
      await disconnect(connectionId, ports);
      return false;
    }
    if (result === 'slow') {
      run.slow++;
      const { last, seen } = progress;
      const missing = { from: offset > last ? last : null, behind: backlog.head - last };
      await passOver(seen, missing, run.kind.maxBehind, ports);
      return false;
    }
    progress.sent++;
    run.news ||= !repeated;
    progress.last = Math.max(progress.last, offset);
  }
  return true;
}

/** A long backlog is saved page by page, and left to a job if it takes too long. False if this run must stop here. */
async function catchUp(progress: Progress, run: Run, { audience, clock }: DeliverPorts): Promise<boolean> {
  if (!(await audience.advance(progress.seen, progress.last))) return false;
  progress.seen = { ...progress.seen, from: progress.last };
  if (clock.now() - run.startedMs <= MAX_RUN_MS) return true;
  run.unfinished = true;
  return false;
}

/** The subscription has everything up to the head: it is late no longer, and its registration is used up. */
async function settle({ seen, sent }: Progress, run: Run, { head, epoch }: Backlog, ports: DeliverPorts): Promise<void> {
  // a run that read the topic before it was made knows nothing of what the subscription lacks
  if (seen.late !== null && epoch !== '' && head >= seen.from) {
    // Re-verify the turn before marking a subscription caught up. A worker that slept past its turn may have read the
    // audience only now, after another moved the cursor beyond what this one knows; the part in between would be lost.
    await run.turn.hold();
    await ports.audience.caughtUp(seen, head);
  }
  if (sent > 0 && seen.registration !== null) await useRegistration(seen, seen.registration, ports);
}

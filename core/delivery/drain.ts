/**
 * Drain: delivers to one (topic, shard) everything up to the head. Its job names a topic, never a message: losing,
 * doubling or delaying it does no harm. Its phases:
 *
 * 1. **Take the turn** (`turn.ts`). One worker at a time delivers a topic: order for clients that cannot sort, and
 *    conflation under load, follow from that. A worker that finds the turn held has poked it, and leaves.
 * 2. **Rounds.** Wait for the topic's window; read the backlog (`backlog.ts`), then the audience; deliver to each
 *    subscription (`deliver.ts`). The pokes are read before the head, so a commit after that read is seen in phase 3.
 * 3. **Release**, on condition that the topic was not poked since. Poked: another round. After several rounds a busy topic is
 *    handed on to a job, so that no function times out on it.
 * 4. **A lost turn** fails the record, so that it comes back. On a state topic this worker's last post may have arrived
 *    after the new holder's: the subscriptions it delivered to get the newest once more.
 */
import { bounded } from '../base/concurrency.ts';
import { BEFORE_ALL } from '../base/position.ts';
import type { Channel } from '../channels/channel.ts';
import { TurnLostError } from '../errors.ts';
import { DRAIN_TIMEOUT_SECONDS, METRIC } from '../names.ts';
import type { Turn } from '../ports/turns.ts';
import { type Backlog, readBacklog } from './backlog.ts';
import { deliverToAudience } from './deliver.ts';
import { KINDS } from './kinds.ts';
import { type DeliverPorts, MAX_RUN_MS, type Run } from './run.ts';
import { type TurnSettings, takeTurn } from './turn.ts';

export interface DrainSettings extends TurnSettings {
  /** State topics: faster events are conflated. */
  readonly broadcastsPerSecond: number;
  /** Posts in flight at once. */
  readonly postsAtOnce: number;
}

export interface DrainPorts extends DeliverPorts {
  readonly drainSettings: DrainSettings;
}

/** After this many rounds a busy topic is handed on to a job. */
const MAX_ROUNDS = 6;

/** A hand-on that delivered nothing waits this long: should drains ever hand on for nothing, they cost little. */
const IDLE_HAND_ON_SECONDS = 1;

/** Every so many hand-ons in a row are a warning. The platform's own guard against endless loops is off (`lib/delivery.ts`). */
const WARN_HAND_ONS = 100;

/** A repeat that finds the turn held is asked for again after this long. */
const REPEAT_DELAY_SECONDS = 2;

/** A delivery is on time if it starts within this fraction of a window after its due time. */
const LATE_SHARE = 0.75;

export interface DrainRequest {
  readonly topic: string;
  readonly shard: number;
  /** @default found by the topic */
  readonly channel?: Channel;
  /** State topics: subscriptions that lack nothing get the newest again. @default false */
  readonly repeat?: boolean;
  /** How often in a row it was handed on before. @default 0 */
  readonly handOns?: number;
}

/** Drains a topic. Throws TurnLostError if the call must be repeated. */
export async function drain({ topic, shard, channel: known, repeat = false, handOns = 0 }: DrainRequest, ports: DrainPorts): Promise<void> {
  const channel = known ?? ports.channels.of(topic);
  if (!channel) return;
  const kind = KINDS[channel.kind];
  const turn = await takeTurn(topic, shard, ports, ports.drainSettings);
  // the holder was poked and will look again, but it does not know of the repeat
  if (!turn) return repeat ? ports.jobs.put({ kind: 'drain', topic, shard, repeat }, REPEAT_DELAY_SECONDS) : undefined;
  if (turn.takenOver && kind.repeatsNewest) await repeatOnceHolderIsDead(topic, shard, ports);
  const { deliveredAtMs, nextAtMs } = turn.first;
  const run: Run = {
    topic,
    shard,
    channel,
    kind,
    turn,
    startedMs: ports.clock.now(),
    handOns,
    done: 0,
    deliveredAtMs,
    nextAtMs,
    repeat,
    reached: new Map(),
    news: false,
    unfinished: false,
    gone: 0,
    slow: 0,
  };
  try {
    await deliverRounds(run, ports);
  } catch (error) {
    if (!(error instanceof TurnLostError)) await ports.turns.abandon(topic, shard, turn.me);
    else if (kind.repeatsNewest) await markReachedLate(run, ports);
    throw error;
  }
}

/** The former holder may be only slow, and post something older after us: the newest is delivered again once it cannot be alive any more. */
async function repeatOnceHolderIsDead(topic: string, shard: number, { jobs }: DrainPorts): Promise<void> {
  await jobs.put({ kind: 'drain', topic, shard, repeat: true }, DRAIN_TIMEOUT_SECONDS + 1);
}

async function deliverRounds(run: Run, ports: DrainPorts): Promise<void> {
  const { topic, channel, kind, turn } = run;
  let cursor: Turn = turn.first;
  for (let rounds = 1; ; rounds++) {
    await awaitWindow(run, ports);
    const backlog = await readBacklog({ topic, channel, cursor, done: run.done, repeat: run.repeat }, kind.backlog, ports);
    await deliverRound(run, backlog, ports);
    const busy = rounds === MAX_ROUNDS || ports.clock.now() - run.startedMs > MAX_RUN_MS;
    const outcome = backlog.more && !busy ? 'poked' : await release(run, backlog, busy ? null : cursor.pokes, ports);
    // the job comes after the release: a worker that pokes before it finds the turn held, and relies on another round
    if (outcome === 'released') return busy || run.unfinished ? handOn(run, ports) : undefined;
    if (outcome === 'lost') throw new TurnLostError(topic);
    run.done = backlog.head;
    run.repeat = false;
    cursor = await nextRound(run, backlog, ports);
  }
}

/** Leaves the rest to a job. */
async function handOn({ topic, shard, reached, handOns: before }: Run, { jobs, report }: DrainPorts): Promise<void> {
  const handOns = before + 1;
  report.count(METRIC.handOns);
  if (handOns % WARN_HAND_ONS === 0)
    report.warn('a topic has been busy for long: its drain is handed on again and again', { topic, handOns });
  else report.info('handed on', { topic, handOns });
  await jobs.put({ kind: 'drain', topic, shard, handOns }, reached.size === 0 ? IDLE_HAND_ON_SECONDS : 0);
}

const release = (
  { topic, shard, turn, deliveredAtMs, nextAtMs }: Run,
  { head, epoch }: Backlog,
  pokes: number | null,
  { turns }: DrainPorts,
) => turns.release(topic, shard, turn.me, { cursor: head, epoch, deliveredAtMs, nextAtMs, pokes });

/** Keeps the turn for another round. */
async function nextRound({ topic, shard, kind, turn }: Run, { head, epoch }: Backlog, { turns }: DrainPorts): Promise<Turn> {
  if (kind.savesRounds) {
    const until = turn.nextUntilMs();
    if (!(await turns.save(topic, shard, turn.me, { cursor: head, epoch }, until))) throw new TurnLostError(topic);
    turn.heldUntil(until);
  }
  const cursor = await turns.read(topic, shard);
  if (cursor?.holder !== turn.me) throw new TurnLostError(topic);
  return cursor;
}

const windowOf = ({ broadcastsPerSecond }: DrainSettings): number => 1000 / broadcastsPerSecond;

/** Paced topics: the newest is delivered when the window since the last delivery ends. */
async function awaitWindow({ kind, nextAtMs }: Run, { clock, drainSettings }: DrainPorts): Promise<void> {
  const left = nextAtMs - clock.now();
  // a clock that was ahead when it wrote must not make us wait longer than a window
  if (kind.paced && left > 0) await clock.sleep(Math.min(left, windowOf(drainSettings)));
}

/**
 * When the next window ends. A delivery that starts a little late does not move the windows after it: otherwise messages
 * at just the allowed rate would fall behind more and more, each by the worst delay so far.
 */
function nextWindow(nextAtMs: number, startedMs: number, windowMs: number): number {
  const lateMs = startedMs - nextAtMs;
  return lateMs >= 0 && lateMs <= LATE_SHARE * windowMs ? nextAtMs + windowMs : startedMs + windowMs;
}

async function deliverRound(run: Run, backlog: Backlog, ports: DrainPorts): Promise<void> {
  const startedMs = ports.clock.now();
  [run.gone, run.slow] = [0, 0];
  const sent = await deliverToAudience(run, backlog, ports.drainSettings.postsAtOnce, ports);
  const { topic, gone, slow } = run;
  if (sent + gone + slow > 0) ports.report.info('delivered', { topic, head: backlog.head, posts: sent, gone, slow });
  if (backlog.head > backlog.from) run.nextAtMs = nextWindow(run.nextAtMs, startedMs, windowOf(ports.drainSettings));
  if (sent === 0) return;
  // our own sign of life is not the client's: a vanished one would be kept alive by it
  if (run.news || !run.channel.keepsAlive) run.deliveredAtMs = startedMs;
  ports.report.count(METRIC.messagesOut, sent);
}

/** Marks every subscription that this run posted to as late, since a post may have arrived after one of the new holder. The next drain delivers the newest. */
async function markReachedLate({ reached }: Run, { audience, newId, drainSettings }: DrainPorts): Promise<void> {
  await bounded(reached.values(), drainSettings.postsAtOnce, (subscription) => audience.markLate(subscription, BEFORE_ALL, newId()));
}

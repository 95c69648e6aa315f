import { bounded, readAhead } from '../base/concurrency.ts';
import { BEFORE_ALL } from '../base/position.ts';
import type { Channel } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { dismiss } from '../connections/close-with-error.ts';
import { type DisconnectPorts, disconnect } from '../connections/disconnect.ts';
import { PushError, TurnLostError } from '../errors.ts';
import { useRegistration } from '../http/registration.ts';
import { DRAIN_TIMEOUT_SECONDS, METRIC } from '../names.ts';
import type { Clock, Gateway, Jobs, Registrations, Report, Subscription, Topics, Turn, Turns } from '../ports.ts';
import { type Round, readRound } from './backlog.ts';
import { type Lease, type LeaseSettings, takeTurn } from './turn.ts';

export interface DrainSettings extends LeaseSettings {
  /** State topics: what comes faster is conflated to the newest. */
  readonly broadcastsPerSecond: number;
  /** Posts under way at once. */
  readonly postsAtOnce: number;
}

export interface DrainPorts extends DisconnectPorts {
  readonly topics: Topics;
  readonly turns: Turns;
  readonly gateway: Gateway;
  readonly jobs: Jobs;
  readonly registrations: Registrations;
  readonly clock: Clock;
  readonly report: Report;
  readonly channels: Channels;
  readonly newId: () => string;
  readonly drainSettings: DrainSettings;
}

/** After so many rounds a busy topic is handed on to a job, so that no function times out on it. */
const MAX_ROUNDS = 6;
/** Or after so long, with time left for the audience of one more round. */
const MAX_SPEECH_MS = 6_000;

/** A retelling that finds the turn held is asked for again. */
const RETELL_DELAY_SECONDS = 2;

/** A telling counts as on time if it began within this share of a window after it might. */
const LATE_SHARE = 0.75;

/** A throttled consumer of a log that lacks more messages than this is closed. */
const MAX_BEHIND = 1_000;

/** A throttled consumer waits 1 s, 2 s, 4 s … a minute. */
const backoffMs = (strikes: number): number => Math.min(1000 * 2 ** strikes, 60_000);

/** What one holder of the turn has done so far. */
interface Speech {
  readonly topic: string;
  readonly shard: number;
  readonly channel: Channel;
  readonly lease: Lease;
  /** Up to which offset this turn has told those who are not late. */
  done: number;
  toldAtMs: number;
  nextAtMs: number;
  /** Whom this turn told: they get the newest again if it is lost. */
  readonly whom: Map<string, Subscription>;
  retell: boolean;
  readonly beganMs: number;
  /** Something was told that was new to somebody. */
  news: boolean;
  /** Somebody was left on the way: a job must go on. */
  unfinished: boolean;
}

/**
 * Tells a (topic, shard) everything up to the head. It says *drain this*, never *send that*: it may be called too
 * often, twice at once, or late, without harm. Throws TurnLostError where the call must be repeated.
 */
export async function drain(request: { topic: string; shard: number; retell?: boolean }, ports: DrainPorts): Promise<void> {
  const { topic, shard, retell = false } = request;
  const channel = ports.channels.of(topic);
  if (!channel) return;
  const lease = await takeTurn(topic, shard, ports, ports.drainSettings);
  // the holder was poked and will look again, but it does not know that the newest is to be told again
  if (!lease) return retell ? ports.jobs.put({ kind: 'drain', topic, shard, retell }, RETELL_DELAY_SECONDS) : undefined;
  if (lease.takenOver && channel.kind === 'state') await outlast(topic, shard, ports);
  const speech: Speech = {
    topic,
    shard,
    channel,
    lease,
    done: 0,
    toldAtMs: lease.first.toldAtMs,
    nextAtMs: lease.first.nextAtMs,
    whom: new Map(),
    retell,
    beganMs: ports.clock.now(),
    news: false,
    unfinished: false,
  };
  try {
    await speak(speech, ports);
  } catch (error) {
    if (!(error instanceof TurnLostError)) await ports.turns.abandon(topic, shard, lease.me);
    else if (channel.kind === 'state') await tellAgain(speech, ports);
    throw error;
  }
}

/**
 * Who held the turn before may be only slow, and post something older after us; if it then dies, nobody knows. When
 * it cannot be alive any more, the newest is told once again.
 */
async function outlast(topic: string, shard: number, { jobs }: DrainPorts): Promise<void> {
  await jobs.put({ kind: 'drain', topic, shard, retell: true }, DRAIN_TIMEOUT_SECONDS + 1);
}

async function speak(speech: Speech, ports: DrainPorts): Promise<void> {
  const { topic, shard, lease } = speech;
  let turn: Turn = lease.first;
  for (let rounds = 1; ; rounds++) {
    await waitOutWindow(speech, ports);
    // pokes were read before the head: who commits after this read pokes after it, and is seen at the release
    const round = await readRound({ topic, channel: speech.channel, told: turn, done: speech.done, retell: speech.retell }, ports);
    await tellAudience(speech, round, ports);
    const busy = rounds === MAX_ROUNDS || ports.clock.now() - speech.beganMs > MAX_SPEECH_MS;
    const done = {
      cursor: round.head,
      epoch: round.epoch,
      toldAtMs: speech.toldAtMs,
      nextAtMs: speech.nextAtMs,
      pokes: busy ? null : turn.pokes,
    };
    const outcome = round.more && !busy ? 'poked' : await ports.turns.release(topic, shard, lease.me, done);
    // the job comes after the release: who pokes before it finds the turn held, and relies on somebody coming again
    if ((busy || speech.unfinished) && outcome === 'released') return ports.jobs.put({ kind: 'drain', topic, shard });
    if (outcome === 'released') return;
    if (outcome === 'lost') throw new TurnLostError(topic);
    speech.done = round.head;
    speech.retell = false;
    turn = await again(speech, round, ports);
  }
}

/** Prepares another round: a log saves its progress, so that a crash repeats less. */
async function again(speech: Speech, round: Round, { turns }: DrainPorts): Promise<Turn> {
  const { topic, shard, lease } = speech;
  if (speech.channel.kind === 'log') {
    const until = lease.nextUntilMs();
    if (!(await turns.save(topic, shard, lease.me, { cursor: round.head, epoch: round.epoch }, until))) throw new TurnLostError(topic);
    lease.heldUntil(until);
  }
  const turn = await turns.read(topic, shard);
  if (turn?.holder !== lease.me) throw new TurnLostError(topic);
  return turn;
}

/** State topics: the newest is told when the window since the last telling ends. What comes meanwhile is conflated. */
async function waitOutWindow(speech: Speech, { clock, drainSettings }: DrainPorts): Promise<void> {
  if (speech.channel.kind !== 'state') return;
  const windowMs = windowOf(drainSettings);
  const left = speech.nextAtMs - clock.now();
  // a clock that was ahead when it wrote must not make us wait longer than a window
  if (left > 0) await clock.sleep(Math.min(left, windowMs));
}

const windowOf = ({ broadcastsPerSecond }: DrainSettings): number => 1000 / broadcastsPerSecond;

/**
 * When the next window ends. A telling that began a little late does not move the windows after it: else messages at
 * just the allowed rate would lag behind more and more, each by the worst delay there ever was.
 */
function nextWindow(nextAtMs: number, beganMs: number, windowMs: number): number {
  const lateMs = beganMs - nextAtMs;
  return lateMs >= 0 && lateMs <= LATE_SHARE * windowMs ? nextAtMs + windowMs : beganMs + windowMs;
}

async function tellAudience(speech: Speech, round: Round, ports: DrainPorts): Promise<void> {
  const startedAtMs = ports.clock.now();
  let sent = 0;
  for await (const page of readAhead(ports.audience.pages(speech.topic, speech.shard))) {
    await bounded(page, ports.drainSettings.postsAtOnce, async (subscription) => {
      sent += await tellOne(subscription, speech, round, ports);
    });
  }
  if (round.head > round.from) speech.nextAtMs = nextWindow(speech.nextAtMs, startedAtMs, windowOf(ports.drainSettings));
  if (sent > 0) {
    // our own sign of life is none of the client's: else one that vanished would be kept alive by it
    if (speech.news || !speech.channel.keepsAlive) speech.toldAtMs = startedAtMs;
    ports.report.count(METRIC.messagesOut, sent);
    ports.report.info('told', { topic: speech.topic, head: round.head, posts: sent });
  }
}

/** Tells one subscription what it lacks; gives the number of posts. */
async function tellOne(subscription: Subscription, speech: Speech, round: Round, ports: DrainPorts): Promise<number> {
  const { audience, gateway, clock } = ports;
  if (subscription.notBeforeMs > clock.now()) return 0;
  let last = subscription.late ? subscription.from : Math.max(round.from, subscription.from);
  let seenFrom = subscription.from;
  let sent = 0;
  for (;;) {
    const { frames, upTo, more } = await round.after(last, subscription);
    for (const { textFor, offset, retold } of frames) {
      const text = textFor(subscription);
      if (text === null) continue;
      const result = await gateway.post(subscription.connectionId, text, async () => {
        await speech.lease.hold();
        speech.whom.set(`${subscription.connectionId}#${subscription.subscriptionId}`, subscription);
      });
      if (result === 'gone') {
        await audience.remove(subscription);
        await disconnect(subscription.connectionId, ports);
        return sent;
      }
      if (result === 'slow') {
        // of a retelling it had the offset already, and lacks it all the same
        const tooFar = speech.channel.kind === 'log' && round.head - last > MAX_BEHIND;
        if (tooFar) await letGo(subscription, ports);
        else await passOver({ ...subscription, from: seenFrom }, offset > last ? last : BEFORE_ALL, ports);
        return sent;
      }
      sent++;
      speech.news ||= !retold;
      last = Math.max(last, offset);
    }
    // a page of which nothing was for this one counts as told too
    last = Math.max(last, upTo);
    if (!more) break;
    if (!subscription.late) continue;
    // a long way to catch up is saved as it goes, and left to a job of its own where it takes too long
    if (!(await audience.advance(subscription, seenFrom, last))) return sent;
    seenFrom = last;
    if (clock.now() - speech.beganMs <= MAX_SPEECH_MS) continue;
    speech.unfinished = true;
    return sent;
  }
  if (subscription.late && round.head >= seenFrom) {
    // a speaker that slept past its turn may have read the audience only now: another has moved the cursor beyond
    // what this one knows, and who is called caught up here would lack what lies between
    await speech.lease.hold();
    await audience.caughtUp(subscription, seenFrom, round.head);
  }
  if (subscription.registration !== null && sent > 0) await useRegistration(subscription, ports);
  return sent;
}

/** The job comes before the mark: between them a crash would leave a late one that nobody comes back for. */
async function passOver(subscription: Subscription, last: number, { audience, jobs, clock, report }: DrainPorts): Promise<void> {
  const waitMs = backoffMs(subscription.strikes);
  report.warn('a consumer is slow and is passed over', { topic: subscription.topic, connectionId: subscription.connectionId, waitMs });
  await jobs.put({ kind: 'drain', topic: subscription.topic, shard: subscription.shard }, Math.ceil(waitMs / 1000) + 1);
  await audience.passOver(subscription, last, { notBeforeMs: clock.now() + waitMs, strikes: subscription.strikes + 1 });
}

/** A consumer that a log has left so far behind would only fall further: it is better off coming back with its position. */
async function letGo({ topic, connectionId, dialect }: Subscription, ports: DrainPorts): Promise<void> {
  ports.report.warn('a consumer is too far behind and is closed', { topic, connectionId });
  const reason = new PushError('RATE_LIMIT_EXCEEDED', `too far behind on ${topic}: connect again, with the position of the last message`, {
    topic,
  });
  await dismiss({ connectionId, dialect }, reason, ports);
}

/** A post of ours may have come after one of who took the turn: whom we told gets the newest once more. */
async function tellAgain(speech: Speech, { audience, drainSettings }: DrainPorts): Promise<void> {
  await bounded(speech.whom.values(), drainSettings.postsAtOnce, (subscription) => audience.markLate(subscription, BEFORE_ALL));
}

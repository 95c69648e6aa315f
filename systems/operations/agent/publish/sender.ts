/** Sends what waits, one request after the other. While the server is away it waits, longer each time, and loses nothing. */
import type { Log } from '../log.ts';
import { type Loop, repeat } from '../loop.ts';
import { FIRST_MS, pauseMs } from '../services/backoff.ts';
import type { Outbox } from './outbox.ts';
import type { OutgoingEvent, Post } from './post.ts';

/** In one request; 500 is the server's limit. */
const MOST_EVENTS = 100;

const LONGEST_PAUSE_MS = 30_000;
/** Without anything to send it looks this seldom: it is kicked when there is something. */
const IDLE_MS = 60_000;

export interface SenderPorts {
  readonly outbox: Outbox;
  readonly post: Post;
  /** 0 to 1. */
  random(): number;
  readonly log: Log;
  /** Called with each answer that has the server's time, in ms. */
  serverTime(ms: number): void;
}

export interface Sender extends Loop {
  /** The last request was answered; `null` = there was none yet. */
  readonly isOnline: boolean | null;
}

export function startSender({ outbox, post, random, log, serverTime }: SenderPorts): Sender {
  let failures = 0;
  let isOnline: boolean | null = null;
  let idleMs = IDLE_MS;
  let blockedUntil = 0;
  let most = MOST_EVENTS;
  const end = new AbortController();

  const failed = (why: string, askedMs: number): void => {
    if (failures === 0) log('WARNING', `publishing failed, and is tried again: ${why}`);
    failures++;
    idleMs = Math.max(askedMs, pauseMs(failures, LONGEST_PAUSE_MS, random));
    blockedUntil = performance.now() + idleMs;
  };
  const send = async (): Promise<boolean | undefined> => {
    const waitMs = blockedUntil - performance.now();
    if (waitMs > 0) {
      // a kick ends no pause that the server needs
      idleMs = waitMs;
      return false;
    }
    idleMs = IDLE_MS;
    const next = await outbox.next(most);
    if (!next) return false;
    const { events } = next;
    const outcome = await post(events, end.signal);
    if (end.signal.aborted) return false;
    if (outcome.kind === 'failed') {
      if (!outcome.isFinal) {
        isOnline = false;
        failed(outcome.why, outcome.pauseMs);
        return false;
      }
      // one of them spoils the request: which one shows when each goes alone
      if (events.length > 1) most = 1;
      else {
        log('ERROR', `${nameOf(events[0])} was refused, and is given up: ${outcome.why}`);
        await next.settle(new Set());
      }
      return true;
    }
    isOnline = true;
    const { refused, entries, serverMs } = outcome;
    // before the disk is waited for: it is the time of now
    if (serverMs !== null) serverTime(serverMs);
    const again = [...refused].filter(([, { isFinal }]) => !isFinal).map(([index]) => index);
    for (const [index, { why, isFinal }] of refused)
      if (isFinal) log('ERROR', `${nameOf(events[index])} was refused, and is given up: ${why}`);
    for (const why of entries) log('ERROR', `an entry was refused, and is given up: ${why}`);
    await next.settle(new Set(again));
    most = Math.min(MOST_EVENTS, most * 2);
    if (again.length > 0) {
      failed(`${again.length} events were not taken`, 0);
      return false;
    }
    if (failures > 0) log('INFO', 'publishing works again');
    failures = 0;
    return true;
  };
  const loop = repeat(
    () => idleMs,
    send,
    (error) => {
      idleMs = FIRST_MS;
      log('ERROR', `publishing: ${error.message}`);
    },
  );
  return {
    ...loop,
    stop() {
      // what was not answered goes again, as the same event, when the agent comes back
      end.abort();
      return loop.stop();
    },
    get isOnline() {
      return isOnline;
    },
  };
}

const nameOf = (event: OutgoingEvent | undefined): string => `${event?.detailType} ${event?.id}`;

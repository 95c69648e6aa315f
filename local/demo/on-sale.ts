/**
 * A simulated on-sale: buyers wait for a concert, are let in a few at a time, try for a seat, and queue again.
 * It publishes through the public API, like every upstream.
 */
import { makeLevers } from '../base/levers.ts';
import { type OutgoingEvent, postEvents } from '../publisher.ts';
import type { DemoOptions } from './demo.ts';
import { repeat } from './repeat.ts';
import { watch } from './watch.ts';

const MOVE_MS = 4_000;
const CONCERT = 1;
/** Number of buyers. Their user ids count from 1. */
const BUYERS = 200;

/** The buyer that the page shows. From their first rank, the front is a little over a minute away. */
export const SHOWN = { userId: 100, seatId: 55, firstRank: 75 } as const;

/** Number of buyers who are let in at a time. */
const LET_IN = { least: 3, most: 5 } as const;
const ACTIVE_SECONDS = 60;
/** An active buyer's reservation is settled after this many moves. */
const MOVES_TO_SETTLE = 2;
/** Fraction of reservations that succeed. */
const SUCCESSES = 0.7;

/** The queue, and the buyers who were let in. */
export interface Room {
  /** User ids, the next to be let in first. */
  readonly waiting: readonly number[];
  readonly active: readonly { readonly userId: number; readonly movesLeft: number }[];
}

export interface Move {
  readonly room: Room;
  /** The events that an upstream publishes for it. */
  readonly events: readonly OutgoingEvent[];
}

/** The room when the sale opens: all buyers wait, the shown buyer at their first rank. */
export function openRoom(): Move {
  const first = SHOWN.userId - SHOWN.firstRank;
  const waiting = Array.from({ length: BUYERS }, (_, index) => ((first + index) % BUYERS) + 1);
  return { room: { waiting, active: [] }, events: ranksOf(waiting) };
}

/** Moves the queue: reservations are settled, their buyers queue again, and some buyers at the front are let in. */
export function moveRoom({ waiting, active }: Room, random: () => number): Move {
  const done = active.filter(({ movesLeft }) => movesLeft === 1).map(({ userId }) => userId);
  const busy = active.filter(({ movesLeft }) => movesLeft > 1).map(({ userId, movesLeft }) => ({ userId, movesLeft: movesLeft - 1 }));
  const letIn = waiting.slice(0, LET_IN.least + Math.floor(random() * (LET_IN.most - LET_IN.least + 1)));
  const behind = [...waiting.slice(letIn.length), ...done];
  return {
    room: { waiting: behind, active: [...busy, ...letIn.map((userId) => ({ userId, movesLeft: MOVES_TO_SETTLE }))] },
    // buyers left the front, so every rank has changed
    events: [...done.map((userId) => settled(userId, random() < SUCCESSES)), ...letIn.map(activated), ...ranksOf(behind)],
  };
}

const QUEUE = 'ticket.waiting-queue';

const ranksOf = (waiting: readonly number[]): OutgoingEvent[] =>
  waiting.map((userId, index) => ({ source: QUEUE, detailType: 'RankUpdated', detail: { userId, concertId: CONCERT, rank: index + 1 } }));

const activated = (userId: number): OutgoingEvent => ({
  source: QUEUE,
  detailType: 'Activated',
  detail: { userId, concertId: CONCERT, activeTtlSeconds: ACTIVE_SECONDS },
});

const settled = (userId: number, success: boolean): OutgoingEvent => ({
  source: 'ticket.reservation',
  detailType: 'ReservationSettled',
  detail: { userId, seatId: userId === SHOWN.userId ? SHOWN.seatId : 1_000 + userId, status: success ? 'SUCCESS' : 'FAIL' },
});

export interface OnSaleOptions extends DemoOptions {
  /** Of the shown buyer, if the deployment requires one. */
  readonly buyerToken?: string | undefined;
  /** @default 4 s */
  readonly moveMs?: number;
}

/** Opens the sale. Returns a function that stops it. */
export function startOnSale({ url, key, warn, clock, buyerToken, moveMs = MOVE_MS }: OnSaleOptions): () => Promise<void> {
  const { random } = makeLevers(20260915);
  let move = openRoom();
  // somebody who publishes a rank of the shown buyer wants to see it
  const shown = watch({
    clock,
    url,
    token: buyerToken,
    topic: `/topic/waiting-queue/${CONCERT}/${SHOWN.userId}`,
    timestampOf: (message) => {
      const { event, data } = message as { event?: string; data?: { timestamp?: string } };
      return event === undefined ? undefined : data?.timestamp;
    },
  });
  const stamped = (event: OutgoingEvent): OutgoingEvent => {
    if (event.detail['userId'] !== SHOWN.userId) return event;
    const timestamp = new Date(clock.now()).toISOString();
    shown.expectOwn(timestamp);
    return { ...event, detail: { ...event.detail, timestamp } };
  };

  const stop = repeat(clock, moveMs, async (isStopped) => {
    try {
      const taken = shown.isTaken(clock.now());
      const events = move.events.filter(({ detail }) => !taken || detail['userId'] !== SHOWN.userId).map(stamped);
      const { rejected } = await postEvents(url, key, events, 'direct');
      for (const { error_message } of rejected) warn(error_message);
      move = moveRoom(move.room, random);
    } catch (error) {
      // the room has not moved, so the same events are published again
      if (!isStopped()) warn(error instanceof Error ? error.message : String(error));
    }
  });
  return async () => {
    shown.stop();
    await stop();
  };
}

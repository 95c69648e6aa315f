/**
 * A simulated on-sale: buyers wait for a concert, are let in a few at a time, try for a seat, and queue again.
 * It publishes through the public path, like any upstream.
 */
import { makeLevers } from '../base/levers.ts';
import { type OutgoingEvent, postEvents } from '../publisher.ts';
import type { DemoOptions } from './demo.ts';
import { repeat } from './repeat.ts';

const MOVE_MS = 4_000;
const CONCERT = 1;
/** Their user ids are 1 to this. */
const BUYERS = 200;

/** The buyer that the page shows: at this rank it takes them something over a minute to the front. */
const SHOWN = { userId: 100, seatId: 55, firstRank: 75 } as const;

/** So many are let in at a time. */
const LET_IN = { least: 3, most: 5 } as const;
const ACTIVE_SECONDS = 60;
/** After so many moves it is known how an active buyer's reservation ended. */
const MOVES_TO_SETTLE = 2;
const SUCCESSES = 0.7;

/** Who stands where. */
export interface Room {
  /** Next first. */
  readonly waiting: readonly number[];
  readonly active: readonly { readonly userId: number; readonly movesLeft: number }[];
}

export interface Move {
  readonly room: Room;
  /** What an upstream tells of it. */
  readonly events: readonly OutgoingEvent[];
}

/** The room as the sale opens: everybody waits, the shown buyer at their first rank. */
export function openRoom(): Move {
  const first = SHOWN.userId - SHOWN.firstRank;
  const waiting = Array.from({ length: BUYERS }, (_, index) => ((first + index) % BUYERS) + 1);
  return { room: { waiting, active: [] }, events: ranksOf(waiting) };
}

/** The queue moves: reservations are settled, their buyers queue again, and some at the front are let in. */
export function moveRoom({ waiting, active }: Room, random: () => number): Move {
  const done = active.filter(({ movesLeft }) => movesLeft === 1).map(({ userId }) => userId);
  const busy = active.filter(({ movesLeft }) => movesLeft > 1).map(({ userId, movesLeft }) => ({ userId, movesLeft: movesLeft - 1 }));
  const letIn = waiting.slice(0, LET_IN.least + Math.floor(random() * (LET_IN.most - LET_IN.least + 1)));
  const behind = [...waiting.slice(letIn.length), ...done];
  return {
    room: { waiting: behind, active: [...busy, ...letIn.map((userId) => ({ userId, movesLeft: MOVES_TO_SETTLE }))] },
    // somebody left the front, so that every rank is another
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

/** Opens the sale; gives the way to stop. */
export function startOnSale({ url, key, warn }: DemoOptions): () => Promise<void> {
  const { random } = makeLevers(20260915);
  let move = openRoom();

  return repeat(MOVE_MS, async (isStopped) => {
    try {
      const { rejected } = await postEvents(url, key, move.events, 'direct');
      for (const { error_message } of rejected) warn(error_message);
      move = moveRoom(move.room, random);
    } catch (error) {
      // what was not taken is told again: the room stays as buyers believe it to be
      if (!isStopped()) warn(error instanceof Error ? error.message : String(error));
    }
  });
}

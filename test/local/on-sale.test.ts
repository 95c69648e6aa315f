/** The demo's waiting room: its events for each buyer, over many moves. */
import { describe, expect, test } from 'vitest';
import { checkEvent } from '../../core/events/envelope.ts';
import { makeLevers } from '../../local/base/levers.ts';
import { type Move, moveRoom, openRoom } from '../../local/demo/on-sale.ts';
import { channels } from '../helpers/ports.ts';

/** About four rounds of all buyers. */
const MOVES = 200;
const MOVE_SECONDS = 4;
const SHOWN = 100;

/** The opening and the moves after it. */
function movesOf(seed: number): Move[] {
  const { random } = makeLevers(seed);
  const moves = [openRoom()];
  while (moves.length <= MOVES) moves.push(moveRoom((moves.at(-1) as Move).room, random));
  return moves;
}

interface BuyerEvent {
  readonly type: string;
  readonly userId: number;
  readonly rank: number;
  readonly seatId: number;
  readonly status: string;
}

const eventsOf = ({ events }: Move): BuyerEvent[] =>
  events.map(({ detailType, detail }) => ({ type: detailType, ...detail }) as unknown as BuyerEvent);

const ofType = (move: Move, type: string): BuyerEvent[] => eventsOf(move).filter((event) => event.type === type);

describe.each([1, 20260915])('with the seed %i', (seed) => {
  const moves = movesOf(seed);

  test('the ranks of one move are 1 to n, one for each waiting buyer', () => {
    for (const move of moves) {
      const ranked = ofType(move, 'RankUpdated');
      expect(ranked.map(({ rank }) => rank)).toEqual(ranked.map((_, index) => index + 1));
      expect(ranked.map(({ userId }) => userId)).toEqual(move.room.waiting);
    }
  });

  test('every buyer is in the room once, and there are 200', () => {
    for (const { room } of moves) {
      const everybody = new Set([...room.waiting, ...room.active.map(({ userId }) => userId)]);
      expect([everybody.size, room.waiting.length + room.active.length]).toEqual([200, 200]);
    }
  });

  test('the rank of a waiting buyer only falls', () => {
    const ranks = new Map<number, number>();
    for (const move of moves) {
      for (const { userId } of ofType(move, 'Activated')) ranks.delete(userId);
      const ranked = ofType(move, 'RankUpdated');
      expect(ranked.filter(({ userId, rank }) => rank >= (ranks.get(userId) ?? Number.POSITIVE_INFINITY))).toEqual([]);
      for (const { userId, rank } of ranked) ranks.set(userId, rank);
    }
  });

  test('buyers at the front are let in, in order, and get no rank from the same move', () => {
    for (const [index, move] of moves.slice(1).entries()) {
      const letIn = ofType(move, 'Activated').map(({ userId }) => userId);
      expect(letIn).toEqual(moves[index]?.room.waiting.slice(0, letIn.length));
      expect(letIn.length).toBeGreaterThan(0);
      expect(ofType(move, 'RankUpdated').filter(({ userId }) => letIn.includes(userId))).toEqual([]);
    }
  });

  test('a buyer who was let in is settled once, two moves later, and goes to the end', () => {
    for (const [index, move] of moves.entries()) {
      const letIn = ofType(moves[index - 2] ?? openRoom(), 'Activated').map(({ userId }) => userId);
      expect(ofType(move, 'ReservationSettled').map(({ userId }) => userId)).toEqual(letIn);
      expect(letIn.length === 0 ? [] : move.room.waiting.slice(-letIn.length)).toEqual(letIn);
    }
  });

  test('the shown buyer is let in 60 to 90 seconds after the opening, and at least three times', () => {
    const letInAt = moves.flatMap((move, index) => (ofType(move, 'Activated').some(({ userId }) => userId === SHOWN) ? [index] : []));

    expect((letInAt[0] ?? 0) * MOVE_SECONDS).toBeGreaterThanOrEqual(60);
    expect((letInAt[0] ?? 0) * MOVE_SECONDS).toBeLessThanOrEqual(90);
    expect(letInAt.length).toBeGreaterThanOrEqual(3);
  });

  test('every buyer tries for their own seat, the shown buyer for 55; some get it and some do not', () => {
    const ends = moves.flatMap((move) => ofType(move, 'ReservationSettled'));

    expect(ends.filter(({ userId, seatId }) => seatId !== (userId === SHOWN ? 55 : 1_000 + userId))).toEqual([]);
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['SUCCESS', 'FAIL']));
  });

  test('the channels accept every event, and a move fits in one request', () => {
    for (const { events } of moves) {
      expect(events.length).toBeLessThanOrEqual(500);
      // throws if the event is invalid
      for (const [index, event] of events.entries())
        checkEvent({ ...event, id: `e-${index}`, time: null, acceptedAtMs: 0, index }, channels);
    }
  });
});

test('the same seed moves the room the same way', () => {
  expect(movesOf(3)).toEqual(movesOf(3));
  expect(movesOf(3).at(-1)).not.toEqual(movesOf(4).at(-1));
});

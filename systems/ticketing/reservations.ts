import * as v from 'valibot';
import { wholeNumber } from '../../core/base/numbers.ts';
import { instant, optional } from '../../core/base/validation.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { onlyUser } from '../../core/channels/permits.ts';
import { NUMBER } from '../../core/channels/topic-pattern.ts';
import { TICKET_LIFE_MS } from './ticket-life.ts';

const settled = v.object({
  userId: wholeNumber,
  seatId: wholeNumber,
  status: v.picklist(['SUCCESS', 'FAIL']),
  timestamp: optional(instant),
});

/** An attempt that ended, as stored and delivered. */
interface Settled {
  readonly userId: number;
  readonly seatId: number;
  readonly status: 'SUCCESS' | 'FAIL';
  readonly timestamp: string;
}

/** How a buyer's reservations of a seat end: a log topic for each seat and buyer, private to the buyer. */
export const reservationsChannel = defineChannel({
  name: 'reservations',
  kind: 'log',
  source: 'ticket.reservation',
  topic: '/topic/reservations/{seatId}/{userId}',
  parameters: { seatId: NUMBER, userId: NUMBER },
  lifeMs: TICKET_LIFE_MS,
  events: {
    ReservationSettled: event(settled, ({ userId, seatId, status, timestamp }) => ({
      topic: { seatId, userId },
      timestamp,
      value: (at: EventTime): Settled => ({ userId, seatId, status, timestamp: at.iso }),
    })),
  },
  payload({ parts: { newest } }: MessageOf<{ newest: Settled }>) {
    if (!newest) return null;
    const { userId, seatId, status, timestamp } = newest;
    return { event: 'RESERVATION_STATUS', userId, seatId, status, timestamp };
  },
  permits: onlyUser('userId'),
  http: {
    stream: '/api/reservations/v5/subscribe',
    registrations: '/api/push/websocket/reservations/subscriptions',
    parameters: ['userId', 'seatId'],
    notice: ({ userId }) => ({ userId }),
    event: (payload) => ({ name: 'RESERVATION_STATUS', data: payload }),
  },
});

import * as v from 'valibot';
import { eventTime } from '../base/ordering.ts';
import { isoOf } from '../base/time.ts';
import { isUser } from '../identity.ts';
import { A_DAY, type Channel, eventType, instant, ownTime } from './channel.ts';
import { ID, TICKET_LIFE_MS, wholeNumber } from './ids.ts';

const TOPIC = new RegExp(`^/topic/reservations/${ID}/${ID}$`);

const topicOf = (seatId: number, userId: number): string => `/topic/reservations/${seatId}/${userId}`;

const settled = v.object({
  userId: wholeNumber,
  seatId: wholeNumber,
  status: v.picklist(['SUCCESS', 'FAIL']),
  timestamp: v.optional(instant),
});

/** An attempt that ended, as stored and told. */
interface Settled {
  readonly userId: number;
  readonly seatId: number;
  readonly status: 'SUCCESS' | 'FAIL';
  readonly timestamp: string;
}

/** How a buyer's reservations of a seat end: a log topic a seat and buyer, private to them. */
export const reservationsChannel: Channel = {
  name: 'reservations',
  kind: 'log',
  source: 'ticket.reservation',
  matches: (topic) => TOPIC.test(topic),
  topicHint: '/topic/reservations/{seatId}/{userId}',
  thinRecent: () => null,
  lifeMs: TICKET_LIFE_MS,
  catalogued: false,
  events: {
    ReservationSettled: eventType(settled, ({ userId, seatId, status, timestamp }, meta) => {
      const { atMicros, ahead } = eventTime(ownTime(timestamp, meta), meta.acceptedAtMs);
      const value: Settled = { userId, seatId, status, timestamp: isoOf(Math.floor(atMicros / 1000)) };
      return [{ kind: 'log', topic: topicOf(seatId, userId), eventId: meta.id, value, ahead }];
    }),
  },
  payload({ parts }) {
    const { newest } = parts as { newest?: Settled };
    if (!newest) return null;
    const { userId, seatId, status, timestamp } = newest;
    return { event: 'RESERVATION_STATUS', userId, seatId, status, timestamp };
  },
  filtering: null,
  history: A_DAY,
  broadcast: null,
  permitHint: 'is for its user alone',
  permits: (topic, principal) => isUser(principal, TOPIC.exec(topic)?.[2] ?? ''),
  keepsAlive: false,
  http: {
    stream: '/api/reservations/v5/subscribe',
    registrations: '/api/push/websocket/reservations/subscriptions',
    parameters: ['userId', 'seatId'],
    topicOf: ({ seatId = 0, userId = 0 }) => topicOf(seatId, userId),
    event: (payload) => ({ name: 'RESERVATION_STATUS', data: payload }),
    unknown: null,
  },
};

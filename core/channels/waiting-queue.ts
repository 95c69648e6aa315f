import * as v from 'valibot';
import { eventTime, orderOf } from '../base/ordering.ts';
import { isoOf } from '../base/time.ts';
import { isUser } from '../identity.ts';
import { A_DAY, type Channel, type EventMeta, eventType, instant, ownTime, type StateCommit } from './channel.ts';
import { ID, TICKET_LIFE_MS, wholeNumber } from './ids.ts';

const TOPIC = new RegExp(`^/topic/waiting-queue/${ID}/${ID}$`);

const topicOf = (concertId: number, userId: number): string => `/topic/waiting-queue/${concertId}/${userId}`;

/** Where a buyer stands, as stored and told. */
interface Place {
  readonly userId: number;
  readonly concertId: number;
  readonly status: 'WAITING' | 'ACTIVE';
  readonly rank: number;
  /** As of `timestamp`. */
  readonly activeTtlSeconds: number;
  readonly timestamp: string;
}

const base = { userId: wholeNumber, concertId: wholeNumber, activeTtlSeconds: v.optional(wholeNumber, 0), timestamp: v.optional(instant) };
const ranked = v.object({ ...base, status: v.optional(v.picklist(['WAITING', 'ACTIVE']), 'WAITING'), rank: wholeNumber });
const activated = v.object({ ...base, status: v.optional(v.literal('ACTIVE'), 'ACTIVE'), rank: v.optional(wholeNumber, 0) });

function placeCommit(detail: v.InferOutput<typeof ranked>, meta: EventMeta): StateCommit {
  const { atMicros, ahead } = eventTime(ownTime(detail.timestamp, meta), meta.acceptedAtMs);
  const { userId, concertId, status, rank, activeTtlSeconds } = detail;
  const active = status === 'ACTIVE';
  const value: Place = {
    userId,
    concertId,
    status,
    rank: active ? 0 : rank,
    activeTtlSeconds,
    timestamp: isoOf(Math.floor(atMicros / 1000)),
  };
  return {
    kind: 'state',
    topic: topicOf(concertId, userId),
    part: 'place',
    order: orderOf({ atMicros, acceptedAtMs: meta.acceptedAtMs, index: meta.index, id: meta.id }),
    value,
    recent: null,
    ahead,
  };
}

/** A buyer's place in the queue for a concert: a state topic a buyer, private to them. */
export const waitingQueueChannel: Channel = {
  name: 'waiting-queue',
  kind: 'state',
  source: 'ticket.waiting-queue',
  matches: (topic) => TOPIC.test(topic),
  topicHint: '/topic/waiting-queue/{concertId}/{userId}',
  thinRecent: () => null,
  lifeMs: TICKET_LIFE_MS,
  catalogued: false,
  events: {
    RankUpdated: eventType(ranked, (detail, meta) => [placeCommit(detail, meta)]),
    Activated: eventType(activated, (detail, meta) => [placeCommit(detail, meta)]),
  },
  payload({ parts, retold }) {
    const { place } = parts as { place?: Place };
    if (!place) return null;
    const event = retold ? 'KEEPALIVE' : place.status === 'ACTIVE' ? 'ACTIVE' : 'RANK_UPDATE';
    const { userId, concertId, status, rank, activeTtlSeconds, timestamp } = place;
    return { event, userId, concertId, data: { userId, concertId, status, rank, activeTtlSeconds, timestamp } };
  },
  filtering: null,
  history: A_DAY,
  broadcast: null,
  permitHint: 'is for its user alone',
  permits: (topic, principal) => isUser(principal, TOPIC.exec(topic)?.[2] ?? ''),
  keepsAlive: true,
  http: {
    stream: '/api/v1/waiting-queue/subscribe',
    registrations: '/api/push/websocket/waiting-queue/subscriptions',
    parameters: ['userId', 'concertId'],
    topicOf: ({ concertId = 0, userId = 0 }) => topicOf(concertId, userId),
    event(payload) {
      const { event, data } = payload as { event: string; data: object };
      return { name: event, data };
    },
    unknown: ({ userId = 0, concertId = 0 }, nowMs) => ({
      userId,
      concertId,
      status: 'UNKNOWN',
      rank: 0,
      activeTtlSeconds: 0,
      timestamp: isoOf(nowMs),
    }),
  },
};

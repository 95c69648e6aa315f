import * as v from 'valibot';
import { wholeNumber } from '../../core/base/numbers.ts';
import { isoOf } from '../../core/base/time.ts';
import { instant, optional } from '../../core/base/validation.ts';
import { defineChannel, type EventTime, event, type MessageOf } from '../../core/channels/define-channel.ts';
import { onlyUser } from '../../core/channels/permits.ts';
import { NUMBER } from '../../core/channels/topic-pattern.ts';
import { TICKET_LIFE_MS } from './ticket-life.ts';

/** A buyer's place, as stored and delivered. */
interface Place {
  readonly userId: number;
  readonly concertId: number;
  readonly status: 'WAITING' | 'ACTIVE';
  readonly rank: number;
  /** As of `timestamp`. */
  readonly activeTtlSeconds: number;
  readonly timestamp: string;
}

const base = { userId: wholeNumber, concertId: wholeNumber, activeTtlSeconds: optional(wholeNumber, 0), timestamp: optional(instant) };
const ranked = v.object({ ...base, status: optional(v.picklist(['WAITING', 'ACTIVE']), 'WAITING'), rank: wholeNumber });
const activated = v.object({ ...base, status: optional(v.literal('ACTIVE'), 'ACTIVE'), rank: optional(wholeNumber, 0) });

/** An ACTIVE buyer has rank 0. */
const place = ({ userId, concertId, status, rank, activeTtlSeconds, timestamp }: v.InferOutput<typeof ranked>) => ({
  topic: { concertId, userId },
  part: 'place' as const,
  timestamp,
  value: (at: EventTime): Place => ({
    userId,
    concertId,
    status,
    rank: status === 'ACTIVE' ? 0 : rank,
    activeTtlSeconds,
    timestamp: at.iso,
  }),
});

/** A buyer's place in the queue for a concert: a state topic for each concert and buyer, private to the buyer. */
export const waitingQueueChannel = defineChannel({
  name: 'waiting-queue',
  kind: 'state',
  source: 'ticket.waiting-queue',
  topic: '/topic/waiting-queue/{concertId}/{userId}',
  parameters: { concertId: NUMBER, userId: NUMBER },
  lifeMs: TICKET_LIFE_MS,
  events: { RankUpdated: event(ranked, place), Activated: event(activated, place) },
  payload({ parts, repeated }: MessageOf<{ place: Place }>) {
    if (!parts.place) return null;
    const { userId, concertId, status, rank, activeTtlSeconds, timestamp } = parts.place;
    const name = repeated ? 'KEEPALIVE' : status === 'ACTIVE' ? 'ACTIVE' : 'RANK_UPDATE';
    return { event: name, userId, concertId, data: { userId, concertId, status, rank, activeTtlSeconds, timestamp } };
  },
  permits: onlyUser('userId'),
  keepsAlive: true,
  http: {
    stream: '/api/v1/waiting-queue/subscribe',
    registrations: '/api/push/websocket/waiting-queue/subscriptions',
    parameters: ['userId', 'concertId'],
    notice: ({ userId }) => ({ userId }),
    event(payload) {
      const { event: name, data } = payload as { event: string; data: object };
      return { name, data };
    },
    unknown: ({ userId, concertId }, nowMs) => ({
      userId,
      concertId,
      status: 'UNKNOWN',
      rank: 0,
      activeTtlSeconds: 0,
      timestamp: isoOf(nowMs),
    }),
  },
});

/** The topics that a deployment has by default. Topics of your own work too: the server names their streams. */
import type { Wire } from './follower.ts';

const OPS = 'ops:';

/** The topic of a message, by its shape; `null` if only its position tells. */
export function shapeOf(message: Wire): string | null {
  const { type, event, ticker, concertId, seatId, userId, broadcast_id: broadcast } = message;
  if (type === 'price_update') return `price:${String(ticker)}`;
  if (broadcast) return OPS + String(type);
  if (event === 'RESERVATION_STATUS') return `/topic/reservations/${String(seatId)}/${String(userId)}`;
  if (concertId !== undefined) return `/topic/waiting-queue/${String(concertId)}/${String(userId)}`;
  return null;
}

/** Of these only the newest counts: their offsets skip. */
export const isKnownState = (topic: string): boolean => /^(price:|ops:status_update$|\/topic\/waiting-queue\/)/.test(topic);

/** Path of a topic's event stream, needed before any reply: a network that blocks WebSockets lets none come. `null` = not known. */
export function knownStream(topic: string): string | null {
  const [, kind, first, userId] = /^\/topic\/(waiting-queue|reservations)\/(\d+)\/(\d+)$/.exec(topic) ?? [];
  if (kind === 'reservations') return `/api/reservations/v5/subscribe?userId=${userId}&seatId=${first}`;
  return kind ? `/api/v1/waiting-queue/subscribe?userId=${userId}&concertId=${first}` : null;
}

/** The type of a broadcast's topic: filters go with types only. `null` for any other topic. */
export const broadcastOf = (topic: string): string | null => (topic.startsWith(OPS) ? topic.slice(OPS.length) : null);

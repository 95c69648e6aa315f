import { MAX_AHEAD_MS } from './time.ts';

/**
 * An event's rank among the events of one part of a state topic, as text that sorts as `docs/protocol.md` orders: event
 * time, then rank, then acceptance, then index in the request, then id. Equal text = the same event.
 */
export function orderOf(event: { atMicros: number; acceptedAtMs: number; index: number; id: string; rank?: number }): string {
  const { atMicros, acceptedAtMs, index, id, rank = 0 } = event;
  return `${String(atMicros).padStart(16, '0')}.${rank}.${String(acceptedAtMs).padStart(13, '0')}.${String(index).padStart(6, '0')}.${id}`;
}

/** Clocks of functions and queues differ by less. */
const CLOCKS_DIFFER_MS = 60_000;

/** No event that was accepted by now has a later order: one that is stored came from a wrong clock, and gives way. */
export const latestOrder = (nowMs: number): string =>
  orderOf({ atMicros: (nowMs + MAX_AHEAD_MS + CLOCKS_DIFFER_MS) * 1000, acceptedAtMs: 0, index: 0, id: '' });

/** Whether a stored time cannot be true yet. */
export const isAheadOf = (atMs: number, nowMs: number): boolean => atMs > nowMs + MAX_AHEAD_MS + CLOCKS_DIFFER_MS;

/** The event time that counts: the event's own, or its acceptance if its own is missing or too far ahead to be true. */
export function eventTime(ownMicros: number | null, acceptedAtMs: number): { atMicros: number; ahead: boolean } {
  const accepted = acceptedAtMs * 1000;
  if (ownMicros === null) return { atMicros: accepted, ahead: false };
  const ahead = ownMicros > accepted + MAX_AHEAD_MS * 1000;
  return { atMicros: ahead ? accepted : Math.max(0, ownMicros), ahead };
}

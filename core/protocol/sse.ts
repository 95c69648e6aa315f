/** Server-Sent Events as text (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { formatPosition, type Position } from '../base/position.ts';

/** `position` becomes the id that a client comes back with; without one the client keeps the last. */
export function formatEvent(name: string, data: object, position: Position | null): string {
  const id = position === null ? '' : `id: ${formatPosition(position.epoch, position.offset)}\n`;
  return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A position by itself: no event, but what a client comes back with. */
export const formatId = (position: Position): string => `id: ${formatPosition(position.epoch, position.offset)}\n\n`;

/** Nothing to a client, but a sign of life to proxies on the way. */
export const COMMENT = ': keep-alive\n\n';

/** After how long a client is to come back. */
export const formatRetry = (ms: number): string => `retry: ${ms}\n\n`;

/** Server-Sent Events as text (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { formatPosition, type Position } from '../base/position.ts';

/** `position` becomes the id that a returning client sends; without one the client keeps its last. */
export function formatEvent(name: string, data: object, position: Position | null): string {
  const id = position === null ? '' : `id: ${formatPosition(position.epoch, position.offset)}\n`;
  return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A position by itself: no event, but the id that a returning client sends. */
export const formatId = (position: Position): string => `id: ${formatPosition(position.epoch, position.offset)}\n\n`;

/** Clients ignore it; proxies on the way see a sign of life. */
export const COMMENT = ': keep-alive\n\n';

/** How long a client waits before it reconnects. */
export const formatRetry = (ms: number): string => `retry: ${ms}\n\n`;

/** Server-Sent Events as text (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { formatPosition, type Position } from '../base/position.ts';

/**
 * An event. `position` becomes the id that a returning client sends; without one the client keeps its last. `retryMs`: how
 * long the client waits before it reconnects. Every block has data: popular clients take one without for an empty event.
 */
export function formatEvent(name: string, data: object | null, position: Position | null, retryMs: number): string {
  const id = position === null ? '' : `id: ${formatPosition(position.epoch, position.offset)}\n`;
  return `${id}retry: ${retryMs}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Clients ignore it; proxies on the way see a sign of life. One line feed: a second would end a block without data. */
export const COMMENT = ': keep-alive\n';

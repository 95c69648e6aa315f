/**
 * A message's position on its topic, on the wire `epoch-offset`: no dialect, address or client has to escape it. The
 * epoch is made with the topic's state item and outlives its log. Offsets count up from 1; 0 is "before the first".
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** An offset before every offset: a subscription that stands here lacks even what is at 0. */
export const BEFORE_ALL = -1;

export const formatPosition = (epoch: string, offset: number): string => `${epoch}-${offset}`;

/**
 * Reads `epoch-offset`; `null` for anything else. The position of a KEEPALIVE, `epoch-offset;kN`, is read without its suffix.
 * Before 0.3 it was `epoch:offset`, and some STOMP clients store it escaped, as `epoch\coffset`: accepted until 1.0.
 */
export function parsePosition(text: string): Position | null {
  const match = /^([0-9A-Za-z]{1,32})(?:-|:|\\c)(\d{1,15})(?:;k\d{1,15})?$/.exec(text);
  return match ? { epoch: match[1] as string, offset: Number(match[2]) } : null;
}

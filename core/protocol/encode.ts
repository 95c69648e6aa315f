/** A topic's message and the answers to (un)subscribing, in the dialect of who gets them. */

import { formatPosition, type Position } from '../base/position.ts';
import type { PushError } from '../errors.ts';
import type { Dialect } from '../ports.ts';
import { formatError, formatJson, formatSubscribed } from './json.ts';
import { formatReceipt, formatStompError, formatStompMessage } from './stomp.ts';
import type { StompVersion } from './stomp-frame.ts';

/** A message of a topic, to be told. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: object;
  readonly position: Position;
  /** When it is told again although nothing is new, in ms; `null` for a message told as such. */
  readonly retoldAtMs: number | null;
  /** What of the payload passes a filter; `null` where nothing does. */
  readonly narrow: (wanted: readonly string[]) => object | null;
}

export interface Addressee {
  readonly dialect: Dialect;
  readonly subscriptionId: string;
  readonly filter: readonly string[] | null;
}

/** `null` for JSON. */
export const stompVersion = (dialect: Dialect): StompVersion | null =>
  dialect === 'json' ? null : (dialect.slice('stomp-'.length) as StompVersion);

/** The message as its addressee gets it; `null` where its filter lets nothing through. `recovered` travels on the first message where nobody asked for a receipt. */
export function encode(message: Outgoing, to: Addressee, recovered: boolean | null = null): string | null {
  const { topic, position, retoldAtMs } = message;
  const payload = to.filter === null ? message.payload : message.narrow(to.filter);
  if (payload === null) return null;
  const version = stompVersion(to.dialect);
  if (version === null) return formatJson(payload, retoldAtMs === null ? position : undefined);
  const at = formatPosition(position.epoch, position.offset);
  // every MESSAGE needs an id of its own; `since` takes this one too
  const messageId = retoldAtMs === null ? at : `${at};k${retoldAtMs}`;
  return formatStompMessage(
    { destination: topic, messageId, subscriptionId: to.subscriptionId, body: JSON.stringify(payload), recovered },
    version,
  );
}

/** Encodes once for all who get the same text. */
export function encoderOf(message: Outgoing): (to: Addressee) => string | null {
  const known = new Map<string, string | null>();
  return (to) => {
    const spoken = to.dialect === 'json' ? '' : `${to.dialect} ${to.subscriptionId}`;
    const key = to.filter === null ? spoken : `${spoken}\n${JSON.stringify(to.filter)}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const text = encode(message, to);
    known.set(key, text);
    return text;
  };
}

/** The answer to a subscribe, or `null` where the client asked for none. */
export function encodeSubscribed(
  { topic, receipt, unasked }: { readonly topic: string; readonly receipt: string | null; readonly unasked: boolean },
  dialect: Dialect,
  head: Position,
  recovered: boolean | null,
): string | null {
  if (unasked) return null;
  const version = stompVersion(dialect);
  if (version === null) return formatSubscribed(topic, head, recovered);
  return receipt === null ? null : formatReceipt(receipt, recovered, version);
}

/** A failure, as the client's dialect has it. In STOMP `receipt` is that of the frame that failed. */
export function encodeError(error: PushError, dialect: Dialect, nowMs: number, receipt: string | null = null): string {
  const version = stompVersion(dialect);
  return version === null ? formatError(error, nowMs) : formatStompError(error, receipt, version);
}

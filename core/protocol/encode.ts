/** A topic's message, and the replies to (un)subscribing, in the dialect of the client that gets them. */
import { formatPosition, type Position } from '../base/position.ts';
import type { PushError } from '../errors.ts';
import type { Dialect } from '../ports/audience.ts';
import { formatError, formatJson, formatSubscribed, type Subscribed } from './json-replies.ts';
import { formatReceipt, formatStompError, formatStompMessage } from './stomp.ts';
import type { StompVersion } from './stomp-frame.ts';

/** A message of a topic, ready to be encoded. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: object;
  readonly position: Position;
  /** Clients know nothing of its topic, and get no position of it. */
  readonly internal: boolean;
  /** When it is delivered again although nothing is new, in ms; `null` for a new message. */
  readonly repeatedAtMs: number | null;
  /** The part of the payload that passes a filter; `null` if nothing does. */
  readonly narrow: (wanted: readonly string[]) => object | null;
}

/** The part of a subscription that decides what its text looks like. */
export interface Addressee {
  readonly dialect: Dialect;
  readonly subscriptionId: string;
  readonly filter: readonly string[] | null;
}

/** `null` for JSON. */
export const stompVersion = (dialect: Dialect): StompVersion | null =>
  dialect === 'json' ? null : (dialect.slice('stomp-'.length) as StompVersion);

/** The message's text; `null` if the filter lets nothing through. `recovered` travels on the first message if no receipt was asked for. */
export function encode(message: Outgoing, to: Addressee, recovered: boolean | null = null): string | null {
  const { topic, position, internal, repeatedAtMs } = message;
  const payload = to.filter === null ? message.payload : message.narrow(to.filter);
  if (payload === null) return null;
  const version = stompVersion(to.dialect);
  if (version === null) return formatJson(payload, repeatedAtMs === null && !internal ? position : undefined);
  const at = formatPosition(position.epoch, position.offset);
  // every MESSAGE needs an id of its own; `since` takes this one too
  const messageId = repeatedAtMs === null ? at : `${at};k${repeatedAtMs}`;
  return formatStompMessage(
    { destination: topic, messageId, subscriptionId: to.subscriptionId, body: JSON.stringify(payload), recovered },
    version,
  );
}

/** A message as subscriptions get it. */
export interface Frame {
  readonly offset: number;
  /** It is delivered again although nothing is new. */
  readonly repeated: boolean;
  /** Its text, in the dialect of the subscription. */
  readonly textFor: (to: Addressee) => string | null;
}

/** The message as a frame, encoded once for all subscriptions that get the same text. */
export function frameOf(message: Outgoing): Frame {
  const known = new Map<string, string | null>();
  return {
    offset: message.position.offset,
    repeated: message.repeatedAtMs !== null,
    textFor(to) {
      const dialect = to.dialect === 'json' ? '' : `${to.dialect} ${to.subscriptionId}`;
      const key = to.filter === null ? dialect : `${dialect}\n${JSON.stringify(to.filter)}`;
      const before = known.get(key);
      if (before !== undefined) return before;
      const text = encode(message, to);
      known.set(key, text);
      return text;
    },
  };
}

/** The reply to a subscribe; `null` if the client asked for none. */
export function encodeSubscribed(
  subscribed: Subscribed & { readonly receipt: string | null; readonly unasked: boolean },
  dialect: Dialect,
  nowMs: number,
): string | null {
  const { receipt, unasked, recovered } = subscribed;
  if (unasked) return null;
  const version = stompVersion(dialect);
  if (version === null) return formatSubscribed(subscribed, nowMs);
  return receipt === null ? null : formatReceipt(receipt, recovered, version);
}

/** A failure in the client's dialect. In STOMP `receipt` is the one that the failed frame asked for. */
export function encodeError(error: PushError, dialect: Dialect, nowMs: number, receipt: string | null = null): string {
  const version = stompVersion(dialect);
  return version === null ? formatError(error, nowMs) : formatStompError(error, receipt, version);
}

/** The STOMP dialect: frames ↔ typed commands and replies (`docs/protocol.md`, "STOMP"). */

import { type Position, parsePosition } from '../base/position.ts';
import { cut, quote } from '../base/text.ts';
import { PushError } from '../errors.ts';
import { readBearer } from '../identity.ts';
import { VERSION } from '../version.ts';
import { formatFrame, STOMP_VERSIONS, type StompFrame, type StompVersion } from './stomp-frame.ts';

export type StompCommand =
  | { readonly type: 'connect'; readonly version: StompVersion; readonly token: string | null }
  | {
      readonly type: 'subscribe';
      /** Empty if a client of 1.0 gave none. */
      readonly id: string;
      readonly destination: string;
      readonly since: Position | null;
      readonly receipt: string | null;
    }
  | { readonly type: 'unsubscribe'; readonly id: string; readonly destination: string | null; readonly receipt: string | null }
  | { readonly type: 'disconnect'; readonly receipt: string | null };

/** A line feed alone, in either direction. */
export const HEART_BEAT = '\n';

const MAX_ID = 128;
/** A sort key of DynamoDB has 1,024 bytes, and the destination is part of it. */
const MAX_ID_ESCAPED = 600;
const MAX_DESTINATION = 200;

/** A text's shape, found before it is parsed. */
export interface StompShape {
  /** It begins with a frame that only a STOMP client sends. */
  readonly isFrame: boolean;
  /** About how many frames it holds; a heart-beat counts as one. */
  readonly frames: number;
  /** How many of them subscribe, at most. */
  readonly subscribes: number;
}

/** The shape of a text that can only be STOMP, since JSON neither begins with a capital letter nor consists of line ends; else `null`. */
export function stompShape(text: string): StompShape | null {
  if (!/^[\r\n]*([A-Z]|$)/.test(text)) return null;
  return {
    isFrame: /^[\r\n]*(CONNECT|STOMP|SUBSCRIBE|UNSUBSCRIBE|DISCONNECT|SEND)\r?\n/.test(text),
    frames: Math.max(1, text.split('\0').length - 1),
    subscribes: text.match(/(^|\0)[\r\n]*SUBSCRIBE\r?\n/g)?.length ?? 0,
  };
}

export const receiptOf = ({ command, headers }: StompFrame): string | null =>
  command === 'CONNECT' || command === 'STOMP' ? null : (headers.get('receipt') ?? null);

/** Reads one frame of a client. Throws a PushError for anything that clients may not send here. */
export function readCommand(frame: StompFrame, version: StompVersion): StompCommand {
  const { command, headers } = frame;
  const receipt = receiptOf(frame);
  switch (command) {
    case 'CONNECT':
    case 'STOMP':
      return readConnect(headers);
    case 'SUBSCRIBE': {
      const ack = headers.get('ack') ?? 'auto';
      if (ack !== 'auto') throw refused(`ack:${cut(ack, 40)} is not offered: messages are not acknowledged, leave ack out`);
      return {
        type: 'subscribe',
        id: readId(headers, version === '1.0' ? 0 : 1),
        destination: needed(headers, 'destination', MAX_DESTINATION),
        since: readSince(headers.get('since')),
        receipt,
      };
    }
    case 'UNSUBSCRIBE': {
      const destination = headers.get('destination') ?? null;
      if (version === '1.0' && destination !== null) return { type: 'unsubscribe', id: readId(headers, 0), destination, receipt };
      return { type: 'unsubscribe', id: readId(headers, 1), destination: null, receipt };
    }
    case 'DISCONNECT':
      return { type: 'disconnect', receipt };
    case 'SEND':
      throw refused('clients do not SEND here: events are published over HTTP or on the event bus');
    default:
      throw refused(`${command} is not served here; CONNECT, SUBSCRIBE, UNSUBSCRIBE and DISCONNECT are`);
  }
}

function readConnect(headers: ReadonlyMap<string, string>): StompCommand {
  // a client that names no version speaks 1.0
  const accepted = (headers.get('accept-version') ?? '1.0').split(',').map((one) => one.trim());
  const version = STOMP_VERSIONS.find((one) => accepted.includes(one));
  if (version === undefined) {
    const known = [...STOMP_VERSIONS].reverse().join(',');
    throw new PushError('INVALID_MESSAGE_FORMAT', `accept-version: expected one of ${known}`, { version: known });
  }
  const beat = headers.get('heart-beat');
  if (beat !== undefined && !/^\s*\d{1,10}\s*,\s*\d{1,10}\s*$/.test(beat))
    throw refused(`heart-beat: expected two numbers of ms, such as 10000,10000`);
  return {
    type: 'connect',
    version,
    token: readBearer(headers.get('Authorization') ?? headers.get('authorization')) ?? passcodeOf(headers),
  };
}

/** Some clients write the scheme there, too. */
function passcodeOf(headers: ReadonlyMap<string, string>): string | null {
  const passcode = headers.get('passcode') ?? '';
  return readBearer(passcode) ?? (passcode || null);
}

function readSince(since: string | undefined): Position | null {
  if (since === undefined) return null;
  const position = parsePosition(since);
  if (position === null) throw refused(`since: expected a position, epoch-offset, got ${quote(since, 40)}`);
  return position;
}

function readId(headers: ReadonlyMap<string, string>, least: number): string {
  const id = bounded('id', headers.get('id') ?? '', MAX_ID, least);
  if (encodeURIComponent(id.toWellFormed()).length > MAX_ID_ESCAPED) throw refused('id: too long');
  return id.toWellFormed();
}

const needed = (headers: ReadonlyMap<string, string>, name: string, most: number): string =>
  bounded(name, headers.get(name) ?? '', most, 1);

function bounded(name: string, value: string, most: number, least: number): string {
  if (value.length < least) throw refused(`a header is missing: ${name}`);
  if (value.length > most) throw refused(`${name}: more than ${most} characters`);
  return value;
}

const refused = (reason: string): PushError => new PushError('INVALID_MESSAGE_FORMAT', reason);

// --- server to client -----------------------------------------------------------------------------------------

const frameOf = (command: string, headers: readonly (readonly [string, string | null])[], body: string, version: StompVersion): string => {
  const given = headers.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  return formatFrame({ command, headers: new Map(given), body }, version);
};

/**
 * Precedes the first frame on a connection without subprotocol. On a slow link its client was greeted in JSON before its
 * CONNECT came, and its parser waits for the end of that half frame: this ends it. To an idle parser it is two heart-beats.
 */
export const AFTER_JSON = '\n\n\0';

/**
 * The server sends no heart-beats and promises none. It asks for few, since each is billed: one within the allowed silence
 * keeps a connection, and the gateway ends one only after 10 minutes.
 */
export const formatStompConnected = (version: StompVersion, session: string, heartBeatMs: number): string =>
  frameOf(
    'CONNECTED',
    [
      ['version', version],
      ['heart-beat', version === '1.0' ? null : `0,${heartBeatMs}`],
      ['session', session],
      ['server', `realtime-push/${VERSION}`],
    ],
    '',
    version,
  );

/** `recovered` only answers a `since`. */
export const formatReceipt = (receipt: string, recovered: boolean | null, version: StompVersion): string =>
  frameOf(
    'RECEIPT',
    [
      ['receipt-id', receipt],
      ['recovered', recovered === null ? null : String(recovered)],
    ],
    '',
    version,
  );

export interface StompMessage {
  readonly destination: string;
  readonly messageId: string;
  /** The client's own id; empty if a client of 1.0 gave none. */
  readonly subscriptionId: string;
  /** JSON. */
  readonly body: string;
  readonly recovered: boolean | null;
}

export const formatStompMessage = (
  { destination, messageId, subscriptionId, body, recovered }: StompMessage,
  version: StompVersion,
): string =>
  frameOf(
    'MESSAGE',
    [
      ['destination', destination],
      ['message-id', messageId],
      ['subscription', subscriptionId === '' ? null : subscriptionId],
      ['content-type', 'application/json'],
      ['recovered', recovered === null ? null : String(recovered)],
    ],
    body,
    version,
  );

/** Plain text: no failure reaches a STOMP client as JSON. The connection ends after it. */
export function formatStompError(error: PushError, receipt: string | null, version: StompVersion): string {
  const { version: known, request_id: requestId } = error.details;
  return frameOf(
    'ERROR',
    [
      ['message', error.message],
      ['error-code', error.code],
      ['receipt-id', receipt],
      ['version', typeof known === 'string' ? known : null],
      ['request-id', typeof requestId === 'string' ? requestId : null],
      ['content-type', 'text/plain'],
    ],
    error.message,
    version,
  );
}
